"""The peer of `npm run bench -- forecast-http`: FastAPI on uvicorn, onnxruntime on the same model file, the rows that bench/workerd/stub-feed.ts makes.

Called with a model's folder and `plain` or `kept`. Plain computes each answer; kept computes one a market and second and gives it to all who ask, as ours does.
Prints a line of JSON when it listens. One process, as workerd is one; the event loop is uvloop, the parser httptools.
"""

import json
import socket
import sys
import time

import fastapi
import numpy as np
import onnxruntime
import uvicorn

from seeded_numbers import seeded_uniform

STEP_MS = 1_000
REACH = 2
SEED = 1
TABLE_ROWS = 1_024
STRIDE = 131
TARGETS = ("bid", "mid", "ask")
BPS = 10_000

folder, manner, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(f"{folder}/manifest.json", encoding="utf-8") as file:
    manifest = json.load(file)
mean = np.array(manifest["normaliser"]["mean"])
scale = np.array(manifest["normaliser"]["scale"])
clip = manifest["normaliser"]["clip"]
shape = manifest["input"]["shape"][1:]
window = shape[0] if len(shape) == 2 else 1
columns = manifest["output"]["columns"]
horizons = sorted({column["horizonMs"] for column in columns})
place = {(column["target"], column["horizonMs"]): index for index, column in enumerate(columns)}
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
session = onnxruntime.InferenceSession(f"{folder}/model.onnx", options, providers=["CPUExecutionProvider"])
input_name, output_name = manifest["input"]["name"], manifest["output"]["name"]

drawn = seeded_uniform(SEED, 0, TABLE_ROWS * len(mean)).astype(np.float64).reshape(TABLE_ROWS, len(mean))
table = np.tile(mean + REACH * drawn * scale, (2, 1))
kept: dict[str, tuple[int, dict]] = {}
app = fastapi.FastAPI()


def number_of(market: str) -> int:
    return int(market.rsplit("M", 1)[1])


def second_of(at: int) -> int:
    return at // STEP_MS % 86_400


def rows_until(market: str, at: int) -> np.ndarray:
    """The newest rows of a market, [window, columns]: of one table, as bench/workerd/stub-feed.ts has them."""
    last = (number_of(market) * STRIDE + second_of(at)) % TABLE_ROWS + TABLE_ROWS
    return table[last - window + 1 : last + 1]


def forecast(market: str, at: int) -> dict:
    rows = rows_until(market, at)
    prepared = np.clip((rows - mean) / scale, -clip, clip).astype(np.float32).reshape(1, *shape)
    moves = session.run([output_name], {input_name: prepared})[0][0].tolist()
    bid = 1_000_000 + number_of(market) * 100 + second_of(at) % 7
    present = {"bid": bid, "mid": bid + 0.5, "ask": bid + 1}

    def priced(target: str, horizon: int) -> dict:
        move = moves[place[target, horizon]]
        return {"price": f"{present[target] * (1 + move / BPS) / 100:.6f}", "moveBps": move}

    return {
        "market": market,
        "asOf": at,
        "present": {target: f"{ticks / 100:.6f}" for target, ticks in present.items()},
        "horizons": [
            {"horizonMs": horizon, "targetTime": at + horizon, **{target: priced(target, horizon) for target in TARGETS}} for horizon in horizons
        ],
        "model": {"id": manifest["id"], "version": manifest["version"], "sha256": manifest["artifact"]["sha256"]},
        "fingerprint": manifest["featureSet"]["fingerprint"],
    }


@app.get("/v1/markets/{market}/forecast")
async def answer(market: str, asOf: int | None = None) -> fastapi.responses.JSONResponse:  # noqa: N803 as the address has it
    at = int(time.time() * 1_000) // STEP_MS * STEP_MS if asOf is None else asOf
    if asOf is not None or manner == "plain":
        return fastapi.responses.JSONResponse(forecast(market, at))
    known = kept.get(market)
    if known is None or known[0] != at:
        known = (at, forecast(market, at))
        kept[market] = known
    return fastapi.responses.JSONResponse(known[1])


listening = socket.socket()
listening.bind(("127.0.0.1", 0))
versions = {"fastapi": fastapi.__version__, "uvicorn": uvicorn.__version__, "onnxruntime": onnxruntime.__version__}
server = uvicorn.Server(uvicorn.Config(app, loop="uvloop", http="httptools", log_level="error", access_log=False))
print(json.dumps({"port": listening.getsockname()[1], "versions": versions}), flush=True)
server.run(sockets=[listening])
