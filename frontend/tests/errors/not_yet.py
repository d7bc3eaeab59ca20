from deepslate import flow, http_request, DSError


@flow
async def fetch(url: str) -> int | None:
    reply = http_request("GET", url, {}, b"")
    seen = {1, 2}
    first, *rest = [1, 2, 3]
    if isinstance(reply, DSError):
        return 0
    return 1
