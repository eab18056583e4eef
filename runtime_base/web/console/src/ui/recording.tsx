// The session's log: to take away, to look at, and to decide again.

import { useState } from "preact/hooks";
import type { Props } from "../app.tsx";
import { ms } from "../model/clock.ts";
import type { Turn } from "../model/turns.ts";
import { useAreas } from "../store.ts";
import { AgainIcon, DownIcon } from "./icons.tsx";

interface Replayed {
  identical: boolean;
  proved: string;
  decisions: number;
  outputs: number;
  steps: number;
  took_ms: number;
  kernel: string;
  differences: { class: string; record: number; t_ns: number; recorded: string; replayed: string }[];
}

type Result = { state: "busy" } | { state: "done"; replayed: Replayed } | { state: "failed"; reason: string };

export function RecordingPane({ store, view, session }: Props) {
  useAreas(store, "turns", "status", "view");
  const [results, setResults] = useState<Record<number, Result>>({});
  const [fault, setFault] = useState("");
  const id = session.welcome?.session_id ?? "";
  if (id === "") return <p class="quiet center">A recording begins with the session.</p>;
  const url = (what: string): string => new URL(`/v1/sessions/${encodeURIComponent(id)}/${what}`, session.base).href;
  const put = (serial: number, result: Result): void => setResults((all) => ({ ...all, [serial]: result }));
  const again = async (serial: number): Promise<void> => {
    put(serial, { state: "busy" });
    try {
      const headers = { ...session.headers, "content-type": "application/json" };
      const body = JSON.stringify(serial > 0 ? { turn: serial } : {});
      const answer = await fetch(url("replay"), { method: "POST", headers, body });
      if (!answer.ok) throw new Error(await reasonOf(answer));
      put(serial, { state: "done", replayed: (await answer.json()) as Replayed });
    } catch (error) {
      put(serial, { state: "failed", reason: (error as Error).message });
    }
  };
  const take = async (what: string, name: string): Promise<void> => {
    setFault("");
    try {
      const answer = await fetch(url(what), { headers: session.headers });
      if (!answer.ok) throw new Error(await reasonOf(answer));
      save(await answer.blob(), name);
    } catch (error) {
      setFault((error as Error).message);
    }
  };
  const turns = [...session.turns.turns].reverse();
  return (
    <div class="recording">
      <div class="bar">
        <button class="action" onClick={() => void take("log", `${id}.log`)}>
          <DownIcon />
          Download log
        </button>
        <button class="action" onClick={() => void take("timeline", `${id}.html`)}>
          <DownIcon />
          Timeline
        </button>
        <button class="action" onClick={() => void again(0)} disabled={results[0]?.state === "busy"}>
          <AgainIcon />
          Replay all
        </button>
        {results[0] !== undefined && <Outcome result={results[0]} />}
        {fault !== "" && <span class="fault" role="alert">{fault}</span>}
      </div>
      <table>
        <thead>
          <tr>
            <th scope="col">Turn</th>
            <th scope="col" class="wide">Ended</th>
            <th scope="col" class="num">First sound</th>
            <th scope="col" class="num wide">Words heard</th>
            <th scope="col" class="wide">Plan</th>
            <th scope="col">Replay</th>
          </tr>
        </thead>
        <tbody>
          {turns.map((turn) => (
            <tr key={turn.serial} aria-selected={view.turn === turn.serial}>
              <th scope="row">
                <button class="plain" onClick={() => view.look(turn === session.turns.last ? 0 : turn.serial)}>
                  {turn.serial}
                </button>
              </th>
              <td class="wide">{endOf(turn)}</td>
              <td class="num">{turn.playbackUs >= 0 ? `${ms(turn.playbackUs - turn.inputEndUs)} ms` : "–"}</td>
              <td class="num wide">{turn.heardBytes >= 0 ? turn.heardWords : "–"}</td>
              <td class="wide mono">{turn.planHash.slice(0, 12)}</td>
              <td>
                <button class="plain" disabled={turn.closeUs < 0 || results[turn.serial]?.state === "busy"} onClick={() => void again(turn.serial)}>
                  Decide again
                </button>
                {results[turn.serial] !== undefined && <Outcome result={results[turn.serial]!} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {turns.length === 0 && <p class="quiet center">No turn yet.</p>}
    </div>
  );
}

function Outcome({ result }: { result: Result }) {
  if (result.state === "busy") return <span class="outcome quiet" role="status">deciding</span>;
  if (result.state === "failed") return <span class="outcome bad" role="alert">{result.reason}</span>;
  const { replayed } = result;
  if (replayed.identical) {
    return (
      <span class="outcome good" role="status" title={`${replayed.proved}; ${replayed.steps} steps on the ${replayed.kernel} kernel in ${replayed.took_ms} ms`}>
        identical, {replayed.decisions} decisions
      </span>
    );
  }
  const first = replayed.differences[0];
  return (
    <span class="outcome bad" role="status" title={first === undefined ? "" : `recorded ${first.recorded}; replayed ${first.replayed}`}>
      differs{first !== undefined && ` at record ${first.record}: ${first.class}`}
    </span>
  );
}

function endOf(turn: Turn): string {
  if (turn.outcome === "") return "in progress";
  return turn.outcome === "commit" ? "complete" : turn.reason.replaceAll("_", " ");
}

async function reasonOf(answer: Response): Promise<string> {
  const said = (await answer.json().catch(() => ({}))) as { reason?: string };
  return said.reason ?? `the server answered ${answer.status}`;
}

function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
