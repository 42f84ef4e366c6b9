// Lays a graph out with Netron's own code, with its own settings (grapher.js), and prints the CPU seconds of that alone.
// node dagre.mjs NETRONS_DAGRE.mjs GRAPH.json
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [, , dagreFile, graphFile] = process.argv;
const dagre = await import(pathToFileURL(dagreFile));
const { nodes, edges } = JSON.parse(readFileSync(graphFile, 'utf-8'));
const layout = { nodesep: 20, ranksep: 20 };
if (nodes.length > 3000) {
    layout.ranker = 'longest-path';
}
const start = process.cpuUsage();
dagre.layout(nodes, edges, layout, {});
const used = process.cpuUsage(start);
console.log(JSON.stringify({ seconds: (used.user + used.system) / 1e6, placed: nodes.filter((node) => node.x !== undefined).length }));
