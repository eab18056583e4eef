// The page: head, conversation, the turn as it happens, and below it pipeline, events and recording.

import { useEffect } from "preact/hooks";
import { listen } from "./keys.ts";
import type { Session } from "./session.ts";
import { type Store, useAreas } from "./store.ts";
import { Composer } from "./ui/composer.tsx";
import { Conversation } from "./ui/conversation.tsx";
import { EventsPane } from "./ui/events.tsx";
import { Header } from "./ui/header.tsx";
import { Help } from "./ui/help.tsx";
import { PipelinePane } from "./ui/pipeline.tsx";
import { RecordingPane } from "./ui/recording.tsx";
import { TurnPane } from "./ui/turn.tsx";
import type { Pane, Tab, View } from "./view.ts";

export interface Props {
  store: Store;
  view: View;
  session: Session;
}

const TABS: [Tab, string][] = [
  ["pipeline", "Pipeline"],
  ["events", "Events"],
  ["recording", "Recording"],
];
const PANES: [Pane, string][] = [["talk", "Talk"], ["turn", "Turn"], ...TABS];

export function App({ store, view, session }: Props) {
  useAreas(store, "view");
  useEffect(() => listen(view, session), []);
  const props = { store, view, session };
  return (
    <>
      <a class="skip" href="#say">
        Skip to the text field
      </a>
      <Header {...props} />
      <main class="stage" data-pane={view.pane}>
        <section class="talk" aria-label="Conversation">
          <Conversation {...props} />
          <Composer {...props} />
        </section>
        <section class="turn" aria-label="The turn as it happens">
          <TurnPane {...props} />
        </section>
        <section class="detail" aria-label="Details">
          <div class="tabs" role="tablist" aria-label="Details" onKeyDown={(event) => arrows(event, view)}>
            {TABS.map(([tab, name], i) => (
              <button
                key={tab}
                role="tab"
                id={`tab-${tab}`}
                aria-selected={view.tab === tab}
                aria-controls="detail"
                tabIndex={view.tab === tab ? 0 : -1}
                onClick={() => view.show(tab)}
              >
                {name}
                <kbd>{i + 1}</kbd>
              </button>
            ))}
          </div>
          <div class="panel" id="detail" role="tabpanel" aria-labelledby={`tab-${view.tab}`}>
            {view.tab === "pipeline" && <PipelinePane {...props} />}
            {view.tab === "events" && <EventsPane {...props} />}
            {view.tab === "recording" && <RecordingPane {...props} />}
          </div>
        </section>
      </main>
      <nav class="panes" aria-label="Panes">
        {PANES.map(([pane, name]) => (
          <button key={pane} aria-current={view.pane === pane ? "page" : undefined} onClick={() => view.show(pane)}>
            {name}
          </button>
        ))}
      </nav>
      {view.help && <Help view={view} />}
    </>
  );
}

function arrows(event: KeyboardEvent, view: View): void {
  const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
  if (step === 0) return;
  event.preventDefault();
  const at = TABS.findIndex(([tab]) => tab === view.tab);
  const tab = TABS[(at + step + TABS.length) % TABS.length]![0];
  view.show(tab);
  requestAnimationFrame(() => document.getElementById(`tab-${tab}`)?.focus());
}
