// All events of the session, to filter and to look into. Only the rows that are seen are drawn.

import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Props } from "../app.tsx";
import { seconds } from "../model/clock.ts";
import type { FeedEvent, Lane } from "../model/feed.ts";
import { useAreas } from "../store.ts";

const ROW = 26;
const LANES: Lane[] = ["control", "data", "telemetry"];

export function EventsPane({ store, view, session }: Props) {
  useAreas(store, "events", "view");
  const [lanes, setLanes] = useState<ReadonlySet<Lane>>(new Set(LANES));
  const [audio, setAudio] = useState(false);
  const [frozen, setFrozen] = useState<FeedEvent[] | null>(null);
  const [chosen, setChosen] = useState<FeedEvent | null>(null);
  const [top, setTop] = useState(0);
  const [tall, setTall] = useState(300);
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const all = frozen ?? session.events;
  const words = view.filter.toLowerCase().split(/\s+/).filter(Boolean);
  const found = all.filter((event) => lanes.has(event.lane) && (audio || !isAudio(event)) && words.every((word) => searched(event).includes(word)));
  useEffect(() => {
    const element = box.current!;
    const watch = new ResizeObserver(() => setTall(element.clientHeight));
    watch.observe(element);
    return () => watch.disconnect();
  }, []);
  useLayoutEffect(() => {
    const element = box.current!;
    if (follows.current && frozen === null) element.scrollTop = element.scrollHeight;
  }, [found.length, frozen]);
  const first = Math.max(0, Math.floor(top / ROW) - 8);
  const shown = found.slice(first, first + Math.ceil(tall / ROW) + 16);
  const move = (event: KeyboardEvent): void => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0 || found.length === 0) return;
    event.preventDefault();
    const at = chosen === null ? found.length - 1 : found.findIndex((one) => one.n === chosen.n) + step;
    const next = Math.max(0, Math.min(found.length - 1, at));
    setChosen(found[next]!);
    follows.current = false;
    const element = box.current!;
    const y = next * ROW;
    if (y < element.scrollTop) element.scrollTop = y;
    else if (y + ROW > element.scrollTop + element.clientHeight) element.scrollTop = y + ROW - element.clientHeight;
  };
  return (
    <div class="events" data-inspecting={chosen !== null}>
      <div class="bar">
        <input id="filter" class="field" value={view.filter} placeholder="Filter: llm, drop, turn 2" aria-label="Filter events" autoComplete="off" onInput={(event) => view.search(event.currentTarget.value)} />
        {LANES.map((lane) => (
          <button key={lane} class="chip" data-lane={lane} aria-pressed={lanes.has(lane)} onClick={() => setLanes(toggled(lanes, lane))}>
            <i class="dot" />
            {lane}
          </button>
        ))}
        <button class="chip" aria-pressed={audio} onClick={() => setAudio(!audio)} title="Frames of audio on their way, fifty a second">
          audio
        </button>
        <button class="chip" aria-pressed={frozen !== null} onClick={() => setFrozen(frozen === null ? session.events : null)}>
          {frozen === null ? "Freeze" : "Frozen"}
        </button>
        <span class="quiet tally">
          {found.length.toLocaleString("en")} of {all.length.toLocaleString("en")}
          {session.lostEvents > 0 && `, ${session.lostEvents.toLocaleString("en")} lost: this page was too slow`}
          {session.feedState === "lost" && ", the feed is gone"}
        </span>
      </div>
      <div
        class="rows"
        ref={box}
        tabIndex={0}
        role="listbox"
        aria-label="Events"
        aria-activedescendant={chosen === null ? undefined : `event-${chosen.n}`}
        onKeyDown={move}
        onScroll={(event) => {
          const element = event.currentTarget;
          follows.current = element.scrollHeight - element.scrollTop - element.clientHeight < ROW;
          setTop(element.scrollTop);
        }}
      >
        <div class="space" style={{ height: `${found.length * ROW}px` }}>
          {shown.map((event, i) => (
            <div
              key={event.n}
              id={`event-${event.n}`}
              class="event"
              role="option"
              aria-selected={chosen?.n === event.n}
              data-lane={event.lane}
              style={{ transform: `translateY(${(first + i) * ROW}px)` }}
              onClick={() => setChosen(event)}
            >
              <span class="t">{seconds(event.t)}</span>
              <span class="lane" aria-label={event.lane} />
              <span class="kind">{nameOf(event)}</span>
              <span class="place">{place(event)}</span>
              <span class="rest">{detail(event)}</span>
            </div>
          ))}
        </div>
        {all.length === 0 && <p class="quiet center">Nothing has happened yet.</p>}
        {all.length > 0 && found.length === 0 && <p class="quiet center">Nothing matches.</p>}
      </div>
      {chosen !== null && (
        <div class="inspector">
          <div class="title">
            <strong>{nameOf(chosen)}</strong>
            <button class="plain" onClick={() => setChosen(null)}>
              Close
            </button>
          </div>
          <pre tabIndex={0}>{JSON.stringify(chosen.record ?? chosen, null, 2)}</pre>
        </div>
      )}
    </div>
  );
}

/** Frames on their way: there are more of them than of everything else. */
function isAudio(event: FeedEvent): boolean {
  if (event.what === "played") return true; // and the client's word for each tenth of a second
  return event.text === undefined && (event.kind === "out" || event.kind === "feed" || event.kind === "send");
}

function toggled(lanes: ReadonlySet<Lane>, lane: Lane): ReadonlySet<Lane> {
  const next = new Set(lanes);
  if (!next.delete(lane)) next.add(lane);
  return next;
}

const texts = new WeakMap<FeedEvent, string>();

function searched(event: FeedEvent): string {
  let text = texts.get(event);
  if (text === undefined) {
    const turn = event.turn ? `turn ${event.turn}` : "";
    text = [event.kind, nameOf(event), place(event), detail(event), turn].join(" ").replaceAll("_", " ").toLowerCase();
    texts.set(event, text);
  }
  return text;
}

const VERBS: Record<string, string> = { out: "gave", feed: "got", send: "sent", invoke: "call", ended: "call ended", metric: "depth" };

function nameOf(event: FeedEvent): string {
  const name = event.signal ?? event.what ?? (event.kind === "event" ? event.port : VERBS[event.kind]) ?? event.kind;
  return name.replaceAll("_", " ");
}

function place(event: FeedEvent): string {
  const node = event.node ?? event.node_id;
  return event.edge ?? event.edge_id ?? (node === undefined ? "" : event.port === undefined ? node : `${node}.${event.port}`);
}

function detail(event: FeedEvent): string {
  const parts: string[] = [];
  if (event.text !== undefined) parts.push(event.text);
  else if ((event.items ?? 0) > 0) parts.push(`${event.items} items, ${(event.bytes ?? 0).toLocaleString("en")} bytes`);
  if (event.reason) parts.push(event.reason.replaceAll("_", " "));
  if (event.provider) parts.push(event.provider);
  if (event.outcome) parts.push(event.outcome.replaceAll("_", " "));
  if (event.words !== undefined && event.signal !== undefined) parts.push(`${event.words} words heard`);
  if (event.high !== undefined) parts.push(`${event.high} waited at most, ${event.shed} shed`);
  return parts.join(" · ");
}
