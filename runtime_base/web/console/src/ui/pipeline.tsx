// The plan: its graph with what waits on each edge, and its figures.

import { useState } from "preact/hooks";
import type { Props } from "../app.tsx";
import { draw, type PlanEdge } from "../model/pipeline.ts";
import { useAreas } from "../store.ts";

export function PipelinePane({ store, view, session }: Props) {
  useAreas(store, "turns", "status", "view");
  const [chosen, setChosen] = useState<number | null>(null);
  const { pipeline, depths, deepest } = session;
  if (pipeline === null) return <p class="quiet">{session.pipelineFault || "Reading the plan."}</p>;
  const drawing = draw(pipeline);
  const turn = view.turn === 0 ? session.turns.last : session.turns.get(view.turn);
  const active = new Set(turn !== null && turn.closeUs < 0 ? [...turn.stages.values()].filter((stage) => stage.outcome === "").map((stage) => stage.node) : []);
  const edge = pipeline.edges.find((one) => one.id === chosen) ?? null;
  return (
    <div class="plan">
      <dl class="strip">
        <Fact name="plan of this turn" value={turn?.planHash ? short(turn.planHash) : "none yet"} title={turn?.planHash} mono />
        <Fact name="template" value={short(pipeline.template_hash)} title={pipeline.template_hash} mono />
        <Fact name="profile" value={pipeline.profile} />
        <Fact name="kernel" value={session.introduction?.kernel ?? pipeline.kernel} />
        <Fact name="recorded at" value={session.introduction?.level || (session.introduction === null ? pipeline.recording_level : "nothing")} />
        <Fact name="a session holds" value={`${(pipeline.memory_bytes / 1024).toFixed(0)} KiB`} />
      </dl>
      <div class="graphbox">
        <svg
          class="graph"
          viewBox={`-8 -8 ${drawing.width + 16} ${drawing.height + 30}`}
          style={{ maxWidth: `${drawing.width + 16}px` }}
          role="group"
          aria-label="The pipeline"
        >
          {drawing.wires.map(({ edge, path, labelX, labelY }) => {
            const depth = depths[edge.id] ?? 0;
            const share = Math.min(1, depth / Math.max(1, edge.items_max));
            return (
              <g key={edge.id} class="wire" data-type={edge.type} data-chosen={edge.id === chosen} onClick={() => setChosen(edge.id === chosen ? null : edge.id)}>
                <title>{`${edge.name}: ${depth} of ${edge.items_max} wait`}</title>
                <path class="hit" d={path} />
                <path class="flow" d={path} />
                {depth > 0 && <path class="fill" d={path} pathLength={1} stroke-dasharray={`${share} 1`} />}
                {depth > 0 && (
                  <text x={labelX} y={labelY - 5} text-anchor="middle">
                    {depth}
                  </text>
                )}
              </g>
            );
          })}
          {drawing.nodes.map(({ node, x, y, width, height }) => (
            <g key={node.id} class="node" data-kind={node.kind} data-active={active.has(node.name)} transform={`translate(${x} ${y})`}>
              <rect width={width} height={height} rx={7} />
              <rect class="stripe" data-row={node.kind === "ingress" ? "you" : node.kind === "egress" ? "out" : node.kind} x={0} y={10} width={3} height={height - 20} rx={1.5} />
              <text class="name" x={14} y={18}>
                {node.name}
              </text>
              <text class="under" x={14} y={32}>
                {(node.providers.join(", ") || node.kind).slice(0, 17)}
              </text>
              <title>{`${node.name}: ${node.kind}, line ${node.line}${node.budget_ms ? `, first output within ${node.budget_ms} ms` : ""}`}</title>
            </g>
          ))}
        </svg>
      </div>
      <div class="facts">
        {edge === null ? (
          <>
            <h3>Reactions</h3>
            <ul class="reactions">
              {pipeline.reactions.map((one, i) => (
                <li key={i}>
                  <code>on {one.on}</code>
                  <span>{one.does}</span>
                </li>
              ))}
            </ul>
          </>
        ) : (
          <EdgeFacts edge={edge} depth={depths[edge.id] ?? 0} deepest={Math.max(deepest[edge.id] ?? 0, turn?.edges.get(edge.name)?.high ?? 0)} close={() => setChosen(null)} />
        )}
      </div>
      <EdgeTable {...{ pipeline, depths, deepest, chosen, setChosen }} />
    </div>
  );
}

function EdgeFacts({ edge, depth, deepest, close }: { edge: PlanEdge; depth: number; deepest: number; close: () => void }) {
  return (
    <>
      <h3 class="edgename">
        <code>{edge.name}</code>
        <button class="plain" onClick={close}>
          Back
        </button>
      </h3>
      <dl>
        <Fact name="waiting" value={`${depth} of ${edge.items_max}`} />
        <Fact name="most so far" value={String(deepest)} />
        <Fact name="carries" value={edge.type} />
        <Fact name="bytes, at most" value={edge.bytes_max.toLocaleString("en")} />
        <Fact name="age, at most" value={edge.age_ms > 0 ? `${edge.age_ms} ms` : "any"} />
        <Fact name="when it is full" value={edge.overflow.join(", then ") || "the producer waits"} />
        <Fact name="lives for" value={edge.scope === "turn" ? "a turn: a cancel empties it" : "the session"} />
        <Fact name="source" value={`line ${edge.line}`} />
      </dl>
    </>
  );
}

/** The same for those who do not see the graph, and for small screens. */
function EdgeTable({ pipeline, depths, deepest, chosen, setChosen }: {
  pipeline: NonNullable<Props["session"]["pipeline"]>;
  depths: number[];
  deepest: number[];
  chosen: number | null;
  setChosen: (id: number | null) => void;
}) {
  return (
    <ul class="edges" aria-label="Edges, and what waits on them">
      {pipeline.edges.map((edge) => {
        const depth = depths[edge.id] ?? 0;
        const most = Math.max(deepest[edge.id] ?? 0, depth);
        return (
          <li key={edge.id}>
            <button aria-pressed={chosen === edge.id} onClick={() => setChosen(chosen === edge.id ? null : edge.id)}>
              <span class="edge">{edge.name.replace("->", "→")}</span>
              <span class="meter" data-type={edge.type}>
                <i style={{ width: `${(100 * most) / edge.items_max}%` }} class="most" />
                <i style={{ width: `${(100 * depth) / edge.items_max}%` }} />
              </span>
              <span class="count">
                {depth}
                <small>/{edge.items_max}</small>
              </span>
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function Fact({ name, value, title, mono = false }: { name: string; value: string; title?: string | undefined; mono?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class={mono ? "mono" : ""} title={title}>
        {value}
      </dd>
    </div>
  );
}

export function short(hash: string): string {
  return hash.slice(0, 12);
}
