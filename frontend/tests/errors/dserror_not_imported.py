from deepslate import flow


@flow
async def main() -> int | DSError:
    return DSError("user", "from nowhere")
