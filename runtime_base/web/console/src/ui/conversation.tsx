// Who said what. Of the assistant: ink for what has been heard, pale for what is still to come, struck for what never was.

import { useLayoutEffect, useRef } from "preact/hooks";
import type { Props } from "../app.tsx";
import type { Line } from "../model/talk.ts";
import { useAreas } from "../store.ts";

export function Conversation({ store, view, session }: Props) {
  useAreas(store, "talk", "status", "view");
  const box = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  useLayoutEffect(() => {
    const element = box.current;
    if (element !== null && follows.current) element.scrollTop = element.scrollHeight;
  });
  const { lines } = session.talk;
  return (
    <div
      class="lines"
      ref={box}
      role="log"
      aria-live="polite"
      aria-label="What was said"
      tabIndex={0}
      onScroll={(event) => {
        const element = event.currentTarget;
        follows.current = element.scrollHeight - element.scrollTop - element.clientHeight < 40;
      }}
    >
      {lines.length === 0 ? (
        <div class="empty">
          <p class="lead">Say something.</p>
          <p>
            Hold <kbd>Space</kbd> and speak, or type below. Interrupt the answer whenever you like: you will see which
            words were heard.
          </p>
        </div>
      ) : (
        <ol>
          {lines.map((line) => (
            <Said
              key={line.id}
              line={line}
              isShown={line.turn > 0 && line.turn === view.turn}
              look={() => line.turn > 0 && view.look(line.turn === session.turns.last?.serial ? 0 : line.turn)}
            />
          ))}
        </ol>
      )}
    </div>
  );
}

function Said({ line, isShown, look }: { line: Line; isShown: boolean; look: () => void }) {
  if (line.who === "note") return <li class="note">{line.text}</li>;
  if (line.who === "user") {
    return (
      <li class="line user" data-state={line.state}>
        <span class="who">You{line.typed && <small>typed</small>}</span>
        <p dir="auto">
          <bdi>{line.text}</bdi>
          {line.state === "live" && <i class="caret" aria-hidden="true" />}
        </p>
      </li>
    );
  }
  const heard = line.text.slice(0, line.heard);
  const rest = line.text.slice(line.heard);
  return (
    <li class="line assistant" data-turn={line.turn} data-state={line.state} data-shown={isShown}>
      <button class="who" onClick={look} title="Show this turn">
        Answer
        <small>turn {line.turn}</small>
      </button>
      <p dir="auto">
        <bdi>
          <span class="heard">{heard}</span>
          {rest !== "" && (line.state === "cut" ? <del title="never heard">{rest}</del> : <span class="coming">{rest}</span>)}
        </bdi>
        {line.state === "cut" && <span class="cutmark">interrupted</span>}
        {line.state === "failed" && <span class="cutmark">{line.reason.replaceAll("_", " ")}</span>}
      </p>
    </li>
  );
}
