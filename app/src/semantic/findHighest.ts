/** @returns the places of the highest scores, the highest first: at most `count` */
export function findHighest(scores: Float32Array | Float64Array, count: number): readonly number[] {
    const places: number[] = [];
    let least = -Infinity;
    for (let place = 0; place < scores.length; place += 1) {
        const score = scores[place] ?? -Infinity;
        if (places.length === count && score <= least) continue;
        let rank = places.length;
        while (rank > 0 && (scores[places[rank - 1] ?? -1] ?? -Infinity) < score) rank -= 1;
        places.splice(rank, 0, place);
        if (places.length > count) places.pop();
        least = scores[places.at(-1) ?? -1] ?? -Infinity;
    }
    return places;
}
