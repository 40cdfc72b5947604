"""Which examples of a data set are trained on together."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from exonym.foundation.seeds import generator

Numbers = npt.NDArray[np.int64]


def epoch_batches(
    lengths: Numbers, batch_size: int, *, seed: int, epoch: int, bucket_batches: int
) -> list[Numbers]:
    """All examples once, in batches of similar lengths, in random order.

    The examples are shuffled and cut into buckets of ``bucket_batches`` batches; each bucket is
    sorted by length and cut into batches, and all batches are shuffled. Where a bucket is no
    multiple of the batch size, its batches differ by one example at most: one small batch would
    give its examples more weight than all others have.

    Args:
        lengths: (examples,) of each example.
        batch_size: most examples of a batch.
        seed: of the run.
        epoch: its number; each has an order of its own, whatever came before it.
        bucket_batches: batches of a bucket.

    Returns:
        (examples,) numbers of each batch's examples.
    """
    random = generator(seed, "fine-tuning order", epoch)
    order = random.permutation(len(lengths))
    size = batch_size * bucket_batches
    batches: list[Numbers] = []
    for start in range(0, len(order), size):
        bucket = order[start : start + size]
        if bucket_batches > 1:
            bucket = bucket[np.argsort(lengths[bucket], kind="stable")]
        batches += np.array_split(bucket, -(-len(bucket) // batch_size))
    return [batches[place] for place in random.permutation(len(batches))]


def parts_of(batch: Numbers, lengths: Numbers, most: int) -> Iterator[Numbers]:
    """A batch in parts that are computed one after the other.

    Args:
        batch: (examples,) numbers.
        lengths: of all examples.
        most: the size of a part, padded to its longest example, unless that alone is longer.
    """
    start = longest = 0
    for place, length in enumerate(lengths[batch].tolist()):
        longest = max(longest, length)
        if place > start and (place + 1 - start) * longest > most:
            yield batch[start:place]
            start, longest = place, length
    yield batch[start:]
