// Asking for a session: POST /v1/sessions says yes with a token, or why not, in words.

export interface Grant {
  token: string;
  session_id?: string;
  observe_token?: string;
}

export class Refused extends Error {
  override name = "Refused";
  readonly code: string;
  readonly retryAfterMs: number | null;

  constructor(code: string, reason: string, retryAfterMs: number | null) {
    super(reason);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

export const ASK_MS = 10_000;

/** `base`: where the server is, `https://host`. `issuer`: a token of scope `issue`, which production asks for. */
export async function askForSession(base: string, issuer?: string): Promise<Grant> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (issuer !== undefined) headers["authorization"] = `Bearer ${issuer}`;
  const signal = AbortSignal.timeout(ASK_MS);
  let answer: Response;
  try {
    answer = await fetch(new URL("/v1/sessions", base), { method: "POST", headers, body: "{}", signal });
  } catch (error) {
    throw new Refused("unreachable", `the server does not answer (${(error as Error).message})`, 1_000);
  }
  const said = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
  if (!answer.ok || typeof said["token"] !== "string") {
    const reason = typeof said["reason"] === "string" ? said["reason"] : `the server answered ${answer.status}`;
    const wait = typeof said["retry_after_ms"] === "number" ? said["retry_after_ms"] : null;
    throw new Refused(String(said["code"] ?? answer.status), reason, wait);
  }
  return said as unknown as Grant;
}

/** The address of a session's WebSocket at the server `base`. */
export function socketUrl(base: string, path = "/v1/session"): string {
  const url = new URL(path, base);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  return url.href;
}
