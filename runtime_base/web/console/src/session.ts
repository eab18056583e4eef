// One session of this page: the call, the feed about it, and what both have told so far.

import { askForSession, Call, type Ended, type Grant, Refused, type State, socketUrl, type Welcome } from "rspp-client";
import { SessionClock } from "./model/clock.ts";
import { Feed, type FeedEvent, type Introduction } from "./model/feed.ts";
import { Levels } from "./model/levels.ts";
import type { Pipeline } from "./model/pipeline.ts";
import { serialOf, Talk } from "./model/talk.ts";
import { Turns } from "./model/turns.ts";
import type { Store } from "./store.ts";

export const EVENTS_MAX = 6000;
const ASKS_MAX = 5; // for a session, where the server says that it is worth asking again
const ASK_WAIT_MS_MAX = 5_000;
const MIC_WORDS: Record<string, string> = {
  NotAllowedError: "The browser did not allow the microphone. Allow it beside the address, or type.",
  NotFoundError: "There is no microphone here. Type instead.",
  NotReadableError: "Another program has the microphone.",
};

export type Mic = "off" | "asking" | "closed" | "open" | "denied";

export class Session {
  readonly store: Store;
  readonly base: string;
  readonly clock = new SessionClock();
  readonly mine = new Levels();
  readonly theirs = new Levels();
  talk = new Talk();
  turns = new Turns();
  events: FeedEvent[] = [];
  lostEvents = 0;
  depths: number[] = [];
  deepest: number[] = [];
  pipeline: Pipeline | null = null;
  pipelineFault = "";
  welcome: Welcome | null = null;
  introduction: Introduction | null = null;
  feedState: "off" | "connecting" | "open" | "lost" | "over" = "off";
  state: State = "idle";
  mic: Mic = "off";
  micFault = "";
  ended: Ended | null = null;
  rtt = -1;
  reconnects = 0;
  speaking = false; // the player has a voice now
  gaps = 0;
  /** The token for looking on, where the server gave one with the session. */
  observer = "";
  #call: Call | null = null;
  #feed: Feed | null = null;
  #wantsTalk = false;
  #flushed = new Set<number>(); // turns that were taken back, and whose last sound the player has not told of
  #opening: Promise<void> | null = null;

  constructor(store: Store, base: string) {
    this.store = store;
    this.base = base;
  }

  async load(): Promise<void> {
    try {
      const answer = await fetch(new URL("/v1/pipeline", this.base), { headers: this.headers });
      if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
      this.pipeline = (await answer.json()) as Pipeline;
      this.turns.know(this.pipeline);
      this.pipelineFault = "";
      document.title = `${this.pipeline.pipeline} · RSPP`;
    } catch (error) {
      this.pipelineFault = (error as Error).message;
    }
    this.store.changed("status", "turns");
  }

  get headers(): Record<string, string> {
    return this.observer === "" ? {} : { authorization: `Bearer ${this.observer}` };
  }

  get isLive(): boolean {
    return this.state === "connected" || this.state === "reconnecting" || this.state === "connecting";
  }

  /** Opens a session if there is none: from a click or a key, as browsers ask for sound. */
  start(): Promise<void> {
    if (this.isLive) return this.#opening ?? Promise.resolve();
    this.#opening = this.#start().finally(() => (this.#opening = null));
    return this.#opening;
  }

  async #start(): Promise<void> {
    this.#forget();
    const call = new Call({
      url: socketUrl(this.base),
      token: async () => {
        const grant = await this.#ask();
        this.observer = grant.observe_token ?? "";
        return grant.token;
      },
      worklets: new URL("./", document.baseURI).href,
      client: "rspp-console/0.1.0",
    });
    this.#call = call;
    this.#listen(call);
    try {
      const welcome = await call.start();
      this.#watch(welcome);
      if (this.pipeline === null) void this.load();
    } catch (error) {
      this.ended ??= { code: 0, reason: (error as Error).message };
      this.state = "ended";
      this.store.changed("status", "talk");
    }
  }

  /** A session; who is told to ask again later does, a few times. */
  async #ask(): Promise<Grant> {
    for (let tries = 1; ; tries++) {
      try {
        return await askForSession(this.base);
      } catch (error) {
        if (!(error instanceof Refused) || error.retryAfterMs === null || tries >= ASKS_MAX) throw error;
        if (tries === 1) this.talk.note(`${error.message}; asking again`);
        this.store.changed("talk");
        await new Promise((resolve) => setTimeout(resolve, Math.min(error.retryAfterMs ?? 0, ASK_WAIT_MS_MAX)));
      }
    }
  }

  #forget(): void {
    this.#feed?.close();
    this.#feed = null;
    this.talk = new Talk();
    this.turns = new Turns();
    if (this.pipeline !== null) this.turns.know(this.pipeline);
    this.events = [];
    this.lostEvents = 0;
    this.depths = [];
    this.deepest = [];
    this.ended = null;
    this.welcome = null;
    this.introduction = null;
    this.reconnects = 0;
    this.clock.reset();
    this.store.changed("status", "talk", "turns", "events");
  }

  #listen(call: Call): void {
    const { store, talk } = this;
    call.on("state", (state) => {
      if (this.state === "connected" && state === "reconnecting") this.reconnects += 1;
      if (this.state === "reconnecting" && state === "connected") talk.note("connection is back");
      if (state === "reconnecting") talk.note("connection lost, coming back");
      this.state = state;
      store.changed("status", "talk");
    });
    call.on("welcome", (welcome) => {
      this.welcome = welcome;
      store.changed("status");
    });
    call.on("ended", (ended) => {
      this.ended = ended;
      this.mic = "off";
      this.speaking = false;
      const what = this.welcome === null ? "no session" : "the session is over";
      talk.note(ended.code === 1000 && this.welcome !== null ? what : `${what}: ${ended.reason}`);
      store.changed("status", "talk");
    });
    call.on("error", (failure) => {
      talk.note(`the server: ${failure.reason}`);
      store.changed("talk");
    });
    call.on("goodbye", (goodbye) => {
      if (goodbye.resume) talk.note(`the server is going (${goodbye.reason}), coming back elsewhere`);
      store.changed("talk");
    });
    call.on("rtt", (rtt) => {
      this.rtt = rtt;
      store.changed("status");
    });
    call.on("transcript", (said) => {
      talk.transcript(said.text, said.final);
      store.changed("talk");
    });
    call.on("text", (text) => {
      talk.assistant(serialOf(text.turn_id), text.text);
      store.changed("talk");
    });
    call.on("signal", (signal) => {
      this.clock.saw(signal.runtime_timestamp_ms * 1000);
      talk.signal(serialOf(signal.turn_id ?? ""), signal);
      store.changed("talk");
    });
    call.on("flush", (flush) => void this.#flushed.add(serialOf(flush.turn_id)));
    call.on("playback", (playback) => {
      this.theirs.add(playback.level);
      this.speaking = playback.playing;
      this.gaps = playback.gaps;
      const serial = serialOf(playback.turn);
      const spoken = this.turns.get(serial)?.spoken ?? [];
      let words = 0;
      for (const one of spoken) if (one.untilMs <= playback.heardMs + 1) words = one.words;
      talk.words(serial, words);
      if (!playback.playing && this.#flushed.delete(serial)) {
        const now = performance.now();
        const onset = this.mine.onset(now);
        this.turns.fellSilent(serial, this.clock.us(now + playback.heldMs), onset === null ? null : this.clock.us(onset));
      }
      store.changed("talk", "levels");
    });
    call.on("frame", (frame) => {
      this.mine.add(frame.open ? frame.level : 0);
      store.changed("levels");
    });
    call.on("microphone", (mic) => {
      this.mic = mic === "lost" ? "off" : mic;
      if (mic === "lost") this.micFault = "The microphone was taken away.";
      store.changed("status");
    });
  }

  #watch(welcome: Welcome): void {
    const feed = new Feed(this.base, welcome.session_id, this.observer);
    this.#feed = feed;
    feed.on("state", (state) => {
      this.feedState = state;
      this.store.changed("status");
    });
    feed.on("introduction", (introduction) => {
      this.introduction = introduction;
      this.clock.saw(introduction.now_us);
      this.store.changed("status");
    });
    feed.on("batch", (batch) => {
      this.clock.saw(batch.now_us);
      this.lostEvents = batch.dropped;
      this.depths = batch.depths;
      batch.depths.forEach((depth, i) => (this.deepest[i] = Math.max(depth, this.deepest[i] ?? 0)));
      for (const event of batch.events) {
        this.turns.add(event);
        if (event.kind === "feed" && event.text !== undefined && this.introduction?.texts === "shown") {
          const turn = this.turns.get(event.turn ?? 0);
          if (turn !== null && turn.said !== "") this.talk.said(turn.serial, turn.said);
        }
      }
      this.events.push(...batch.events);
      if (this.events.length > EVENTS_MAX) this.events = this.events.slice(-EVENTS_MAX);
      if (batch.events.length > 0) this.store.changed("turns", "events", "talk");
      else this.store.changed("turns");
    });
    feed.open();
  }

  // ---- what a person does

  async type(text: string): Promise<void> {
    const said = text.trim();
    if (said === "") return;
    await this.start();
    if (this.#call === null || this.state === "ended") return;
    this.talk.user(said, true);
    this.#call.connection.text(said);
    this.store.changed("talk");
  }

  /** Opens the microphone while `open`, and asks for it the first time. Who lets go while speaking has said all. */
  async speak(open: boolean): Promise<void> {
    if (!open && this.mic === "open" && this.turns.isSpeaking) this.#call?.connection.control("end_utterance");
    this.#wantsTalk = open;
    if (open && this.mic !== "closed" && this.mic !== "open") {
      if (this.mic === "asking") return;
      this.mic = "asking";
      this.micFault = "";
      this.store.changed("status");
      await this.start();
      const call = this.#call;
      if (call === null || this.state === "ended") {
        this.mic = "off";
        this.store.changed("status");
        return;
      }
      try {
        await call.listen();
      } catch (error) {
        this.mic = "denied";
        this.micFault = MIC_WORDS[(error as Error).name] ?? (error as Error).message;
        this.store.changed("status");
        return;
      }
    }
    this.#call?.talk(this.#wantsTalk);
  }

  /** Stops the answer. */
  cancel(): void {
    if (this.state === "connected") this.#call?.connection.control("cancel");
  }

  hangUp(): void {
    this.#call?.hangUp();
  }

  /** As if the network had gone: to see the session come back. */
  drop(): void {
    this.#call?.connection.drop();
  }
}
