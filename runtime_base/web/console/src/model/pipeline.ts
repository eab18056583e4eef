// The plan, as GET /v1/pipeline gives it, and its drawing: nodes in columns by how far they are from the ingress.

export interface PlanNode {
  id: number;
  name: string;
  kind: string;
  execution: string;
  scope: string;
  line: number;
  budget_ms: number;
  chunk_ms: number;
  providers: string[];
}

export interface PlanEdge {
  id: number;
  name: string;
  source: number;
  source_port: string;
  target: number;
  target_port: string;
  type: string;
  scope: string;
  items_max: number;
  bytes_max: number;
  age_ms: number;
  overflow: string[];
  handoff: boolean;
  commit_point: boolean;
  line: number;
}

export interface Pipeline {
  pipeline: string;
  pipeline_version: string;
  profile: string;
  template_hash: string;
  kernel: string;
  development: boolean;
  recording_level: string;
  budgets: { turn_ms: number; warning_ms: number; total_ms: number; lead_ms: number; grace_ms: number };
  nodes: PlanNode[];
  edges: PlanEdge[];
  reactions: { on: string; does: string; line: number }[];
  modes: string[];
  memory_bytes: number;
}

export interface Placed {
  node: PlanNode;
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Wire {
  edge: PlanEdge;
  path: string;
  labelX: number;
  labelY: number;
}

export interface Drawing {
  nodes: Placed[];
  wires: Wire[];
  width: number;
  height: number;
}

export const NODE_W = 108;
export const NODE_H = 42;
const GAP_X = 38;
const GAP_Y = 14;

/** Columns by the longest way from a source; within a column in the order that bends the fewest wires. */
export function draw(pipeline: Pipeline): Drawing {
  const used = new Set(pipeline.edges.flatMap((edge) => [edge.source, edge.target]));
  const nodes = pipeline.nodes.filter((node) => used.has(node.id));
  const rank = ranks(pipeline, nodes);
  const columns: PlanNode[][] = [];
  for (const node of nodes) (columns[rank.get(node.id)!] ??= []).push(node);
  for (let i = 0; i < columns.length; i++) columns[i] ??= [];
  const row = new Map<number, number>();
  for (const column of columns) {
    const wanted = (node: PlanNode): number => {
      const from = pipeline.edges.filter((edge) => edge.target === node.id && rank.get(edge.source)! < rank.get(node.id)!);
      if (from.length === 0) return node.kind === "ingress" ? 0 : 1;
      const main = Math.min(...from.map((edge) => row.get(edge.source) ?? 0)); // the main way is a straight line
      const isSide = !pipeline.edges.some((edge) => edge.source === node.id) && node.kind !== "egress";
      return main + (isSide ? 0.6 : 0);
    };
    const order = column.map((node) => ({ node, wanted: wanted(node) })).sort((a, b) => a.wanted - b.wanted);
    let free = 0;
    for (const { node, wanted: at } of order) {
      const here = Math.max(free, Math.round(at));
      row.set(node.id, here);
      free = here + 1;
    }
  }
  const rows = Math.max(0, ...row.values()) + 1;
  const placed = nodes.map((node) => ({
    node,
    x: rank.get(node.id)! * (NODE_W + GAP_X),
    y: row.get(node.id)! * (NODE_H + GAP_Y),
    width: NODE_W,
    height: NODE_H,
  }));
  const at = new Map(placed.map((one) => [one.node.id, one]));
  const wires = pipeline.edges.map((edge) => wire(edge, at.get(edge.source)!, at.get(edge.target)!, pipeline.edges));
  return {
    nodes: placed,
    wires,
    width: columns.length * (NODE_W + GAP_X) - GAP_X,
    height: rows * (NODE_H + GAP_Y) - GAP_Y,
  };
}

function ranks(pipeline: Pipeline, nodes: PlanNode[]): Map<number, number> {
  const rank = new Map(nodes.map((node) => [node.id, 0]));
  const forward = pipeline.edges.filter((edge) => !goesBack(pipeline, edge));
  for (let round = 0; round < nodes.length; round++) {
    for (const edge of forward) rank.set(edge.target, Math.max(rank.get(edge.target)!, rank.get(edge.source)! + 1));
  }
  // A source that is no ingress stands right before what it feeds.
  for (const node of nodes) {
    const feeds = pipeline.edges.filter((edge) => edge.source === node.id);
    const isFed = pipeline.edges.some((edge) => edge.target === node.id);
    if (!isFed && node.kind !== "ingress" && feeds.length > 0) {
      rank.set(node.id, Math.max(0, Math.min(...feeds.map((edge) => rank.get(edge.target)!)) - 1));
    }
  }
  return rank;
}

/** Whether an edge closes a circle: its target leads to its source by edges that the pipeline has before it. */
function goesBack(pipeline: Pipeline, edge: PlanEdge): boolean {
  const reached = new Set([edge.target]);
  for (let size = 0; size !== reached.size; ) {
    size = reached.size;
    for (const one of pipeline.edges) if (one.id < edge.id && reached.has(one.source)) reached.add(one.target);
  }
  return reached.has(edge.source);
}

function wire(edge: PlanEdge, from: Placed, to: Placed, all: PlanEdge[]): Wire {
  const outs = all.filter((one) => one.source === edge.source);
  const ins = all.filter((one) => one.target === edge.target);
  const y1 = from.y + (from.height * (outs.indexOf(edge) + 1)) / (outs.length + 1);
  const y2 = to.y + (to.height * (ins.indexOf(edge) + 1)) / (ins.length + 1);
  const x1 = from.x + from.width;
  const x2 = to.x;
  const middle = x1 + (x2 - x1) / 2;
  const far = x2 - x1 > NODE_W + GAP_X; // past other nodes: below them
  const low = Math.max(from.y + from.height, to.y + to.height) + GAP_Y * 0.62;
  const path = far
    ? `M${x1} ${y1} C${x1 + 26} ${y1} ${x1 + 14} ${low} ${x1 + 44} ${low} L${x2 - 44} ${low} C${x2 - 14} ${low} ${x2 - 26} ${y2} ${x2} ${y2}`
    : `M${x1} ${y1} C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`;
  return { edge, path, labelX: middle, labelY: far ? low : (y1 + y2) / 2 };
}
