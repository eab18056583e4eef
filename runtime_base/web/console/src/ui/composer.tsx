// How one speaks: hold, leave open, or type.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Props } from "../app.tsx";
import { height } from "../model/levels.ts";
import { useAreas } from "../store.ts";
import { MicIcon, SendIcon, StopIcon } from "./icons.tsx";

export const TEXT_CHARS_MAX = 1000;

export function Composer({ store, session }: Props) {
  useAreas(store, "status", "talk");
  const [text, setText] = useState("");
  const held = useRef(false);
  const { mic } = session;
  const isOpen = mic === "open";
  const answering = session.speaking;
  const release = (): void => {
    if (!held.current) return;
    held.current = false;
    void session.speak(false);
  };
  return (
    <div class="composer">
      <Wave {...{ store, session }} />
      <div class="row">
        <button
          class="talkbutton"
          data-open={isOpen}
          aria-pressed={isOpen}
          aria-label="Hold to talk"
          disabled={mic === "asking"}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            held.current = true;
            void session.speak(true);
          }}
          onPointerUp={release}
          onPointerCancel={release}
          onKeyDown={(event) => {
            if ((event.key === " " || event.key === "Enter") && !event.repeat) {
              held.current = true;
              void session.speak(true);
            }
          }}
          onKeyUp={release}
          onBlur={release}
          onContextMenu={(event) => event.preventDefault()}
        >
          <MicIcon />
        </button>
        <div class="how">
          <strong>{isOpen ? "Listening" : mic === "asking" ? "Waiting for the browser" : "Hold to talk"}</strong>
          <span>
            {isOpen ? "a pause ends it" : (
              <>
                or hold <kbd>Space</kbd>
              </>
            )}
          </span>
        </div>
        <label class="switch">
          <input
            type="checkbox"
            role="switch"
            checked={isOpen}
            onChange={(event) => void session.speak(event.currentTarget.checked)}
          />
          <i />
          <span>Open</span>
          <kbd>M</kbd>
        </label>
        <button class="tool" disabled={!answering} onClick={() => session.cancel()} aria-label="Stop the answer" title="Stop the answer (Esc)">
          <StopIcon />
        </button>
      </div>
      {session.micFault !== "" && <p class="fault" role="alert">{session.micFault}</p>}
      <form
        class="type"
        onSubmit={(event) => {
          event.preventDefault();
          void session.type(text);
          setText("");
        }}
      >
        <input
          id="say"
          value={text}
          maxLength={TEXT_CHARS_MAX}
          autoComplete="off"
          placeholder="Type instead"
          aria-label="Type what you would say"
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <button class="send" type="submit" disabled={text.trim() === ""} aria-label="Send">
          <SendIcon />
        </button>
      </form>
      <p class="under">
        {session.isLive ? (
          <button class="plain" onClick={() => session.hangUp()}>
            Hang up
          </button>
        ) : session.ended !== null ? (
          <button class="plain" onClick={() => void session.start()}>
            Start again
          </button>
        ) : (
          <span>A session begins with the first word.</span>
        )}
        {session.welcome !== null && <code class="id">{session.welcome.session_id}</code>}
      </p>
    </div>
  );
}

const SPAN_MS = 6000;
const BAR_PX = 3;

/** The last seconds: the user above the line, the answer below it. */
function Wave({ store, session }: Pick<Props, "store" | "session">) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    let frame = 0;
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    const paint = (): void => {
      frame = 0;
      const element = canvas.current;
      if (element !== null) draw(element, session.mine, session.theirs);
      if (!still.matches && session.isLive) frame = requestAnimationFrame(paint);
    };
    const wake = (): void => void (frame ||= requestAnimationFrame(paint));
    wake();
    const off = [store.on("levels", wake), store.on("status", wake), store.on("view", wake)];
    addEventListener("resize", wake);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("resize", wake);
      off.forEach((one) => one());
    };
  }, []);
  return <canvas class="wave" ref={canvas} aria-hidden="true" />;
}

function draw(element: HTMLCanvasElement, mine: Props["session"]["mine"], theirs: Props["session"]["theirs"]): void {
  const ratio = devicePixelRatio || 1;
  const width = element.clientWidth;
  const tall = element.clientHeight;
  if (element.width !== width * ratio || element.height !== tall * ratio) {
    element.width = width * ratio;
    element.height = tall * ratio;
  }
  const pen = element.getContext("2d");
  if (pen === null || width === 0) return;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, tall);
  const style = getComputedStyle(element);
  const bars = Math.floor(width / BAR_PX);
  const barMs = SPAN_MS / bars;
  const to = Math.ceil(performance.now() / barMs) * barMs; // bars keep their places
  const middle = Math.round(tall / 2) + 0.5;
  pen.fillStyle = style.getPropertyValue("--line");
  pen.fillRect(0, middle - 0.5, width, 1);
  for (const [levels, name, up] of [[mine, "--accent", true], [theirs, "--out", false]] as const) {
    const found = levels.bins(to - SPAN_MS, to, bars);
    pen.fillStyle = style.getPropertyValue(name);
    for (let i = 0; i < bars; i++) {
      const high = height(found[i]!) * (middle - 2);
      if (found[i]! > 0.0005) pen.fillRect(i * BAR_PX, up ? middle - 1 - high : middle + 1, BAR_PX - 1, high);
    }
  }
}
