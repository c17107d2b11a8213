"""An orders API that knows nothing of tokens, keys or proofs: no line of authentication is in this file.

It answers with the identity headers that it was given, so that one can see what Holdfast tells a backend.
"""

import asyncio

from fastapi import FastAPI, Request
from pydantic import BaseModel

app = FastAPI(title="Orders")
orders = [{"id": 1, "item": "anchor"}, {"id": 2, "item": "rope"}]


class NewOrder(BaseModel):
    item: str


def caller(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if name.startswith("x-auth-")}


@app.get("/healthz")
def healthz():
    return {"status": "ok"}


@app.get("/orders")
def list_orders(request: Request):
    return {
        "orders": orders,
        "caller": caller(request),
        "authorization_seen": "authorization" in request.headers,
        "proof_seen": "dpop" in request.headers,
    }


@app.post("/orders", status_code=201)
def create_order(order: NewOrder, request: Request):
    created = {"id": len(orders) + 1, "item": order.item}
    orders.append(created)
    return {"created": created, "caller": caller(request)}


@app.post("/orders/{order_id}/approval")
def approve(order_id: int, request: Request):
    return {"approved": order_id, "caller": caller(request)}


@app.get("/payments")
def payments(request: Request):
    return {"payments": [], "caller": caller(request)}


@app.get("/reports")
async def reports():
    await asyncio.sleep(5)
    return {"report": "late"}
