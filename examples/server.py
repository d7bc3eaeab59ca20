"""A FastAPI server with durable flows in the same process. Needs: pip install deepslate fastapi uvicorn"""

import uvicorn
from fastapi import FastAPI, HTTPException

from deepslate import flow, impure, new_embedded, sleep, spawn_inspector, spawn_workers


# Counts up for ever, one tick a second; survives crashes and restarts.
@flow
async def counter() -> None:
    count: int = 0

    while True:
        sleep(1.0)
        count = count + 1


@impure
def send_mail(to: str, text: str) -> bool:
    print(f"mail to {to}: {text}")
    return True


# Ordinary Python between durable calls.
@flow
async def remind(to: str, times: int) -> int:
    sent: int = 0
    for n in range(times):
        sleep(0.5)
        if send_mail(to, f"reminder {n + 1} of {times}"):
            sent = sent + 1
    return sent


def create_app() -> FastAPI:
    platform, close = new_embedded(".deepslate")
    spawn, result, cancel, shutdown = spawn_workers(2, platform, [counter, remind])
    print("inspector:", spawn_inspector(platform, "localhost:8080"))

    app = FastAPI()

    @app.post("/counter/{name}")
    def spawn_counter(name: str) -> dict[str, object]:
        id_, exists = spawn(name, "counter", {})
        return {"id": id_, "exists": exists}

    @app.post("/remind/{name}")
    async def spawn_remind(name: str, to: str, times: int) -> dict[str, object]:
        id_, exists = await spawn.aio(name, remind, {"to": to, "times": times})
        return {"id": id_, "exists": exists}

    @app.get("/result/{name}")
    async def wait(name: str, timeout: float = 10.0) -> dict[str, object]:
        try:
            return {"result": await result.aio(name, timeout)}
        except TimeoutError:
            raise HTTPException(202, f"{name} goes on") from None
        except KeyError as error:
            raise HTTPException(404, str(error)) from None

    @app.delete("/{name}")
    def stop(name: str) -> dict[str, bool]:
        return {"cancelled": cancel(name)}

    return app


if __name__ == "__main__":
    uvicorn.run(create_app(), host="127.0.0.1", port=8000)
