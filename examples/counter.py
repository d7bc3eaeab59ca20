from deepslate import flow, sleep


# Counts up to a limit. It survives a crash at any instant: each turn is committed.
@flow
async def counter(limit: int) -> int:
    count: int = 0
    while count < limit:
        sleep(0)
        count = count + 1
    return count
