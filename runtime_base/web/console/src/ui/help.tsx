import { useEffect, useRef } from "preact/hooks";
import { KEYS } from "../keys.ts";
import type { View } from "../view.ts";
import { CloseIcon } from "./icons.tsx";

export function Help({ view }: { view: View }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    dialog.current?.showModal();
    return () => before?.focus();
  }, []);
  return (
    <dialog
      class="help"
      ref={dialog}
      aria-labelledby="help-title"
      onClose={() => view.toggleHelp(false)}
      onClick={(event) => event.target === dialog.current && view.toggleHelp(false)}
    >
      <div class="inside">
        <header>
          <h2 id="help-title">Keyboard</h2>
          <button class="tool" onClick={() => view.toggleHelp(false)} aria-label="Close">
            <CloseIcon />
          </button>
        </header>
        <dl>
          {KEYS.map(([keys, what]) => (
            <div key={keys}>
              <dt>
                {keys.split("  ").map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </dt>
              <dd>{what}</dd>
            </div>
          ))}
        </dl>
      </div>
    </dialog>
  );
}
