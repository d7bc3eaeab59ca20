from deepslate import flow


@flow
async def count(limit: int) -> int:
    if limit > 3
        return limit
    return 0
