from deepslate import flow


@flow
async def answer():
    return 42
