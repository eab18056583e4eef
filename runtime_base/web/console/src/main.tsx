import { render } from "preact";
import { App } from "./app.tsx";
import { Session } from "./session.ts";
import { Store } from "./store.ts";
import { View } from "./view.ts";

const store = new Store();
const view = new View(store);
const session = new Session(store, location.origin);
render(<App store={store} view={view} session={session} />, document.getElementById("app")!);
void session.load();
