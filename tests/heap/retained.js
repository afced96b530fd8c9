// What memlab says each block of a .heapsnapshot retains, beside what seep says.
// Usage: retained.js FILE.heapsnapshot TOLD.json; TOLD has "rows": [number, bytes].
'use strict';
const fs = require('fs');
const { getFullHeapFromFile } = require('@memlab/heap-analysis');

async function main(snapshot, told) {
	const rows = JSON.parse(fs.readFileSync(told)).rows;
	// The number of a node is twice that of its block, and two more.
	const expected = new Map(rows.map(([number, bytes]) => [2 * number + 2, bytes]));
	const heap = await getFullHeapFromFile(snapshot);
	let blocks = 0, different = 0;
	heap.nodes.forEach((node) => {
		if (node.type !== 'object')
			return;
		blocks++;
		if (expected.get(node.id) !== node.retainedSize)
			different++;
	});
	console.log(JSON.stringify({ blocks, told: expected.size, different }));
}

main(process.argv[2], process.argv[3]);
