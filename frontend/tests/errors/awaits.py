from deepslate import dpslio, flow


async def helper(n: int) -> int:
    return n


def plain(queue: dpslio.Queue[int]) -> int:
    return await queue.get()


@flow
async def main(queue: dpslio.Queue[int], n: int) -> int:
    x = queue.get()
    queue.put(1)
    y = helper(2)
    z = await len([1])
    await n
    return plain(queue)
