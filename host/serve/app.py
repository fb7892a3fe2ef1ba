"""The endpoint: /v1/models, /v1/completions and /v1/chat/completions."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from llama2_myhdl.host.serve.answers import Form, event, usage
from llama2_myhdl.host.serve.asks import Ask, Asks
from llama2_myhdl.host.serve.limits import Limits
from llama2_myhdl.host.serve.machine import Machine
from llama2_myhdl.host.serve.order import Order
from llama2_myhdl.host.serve.punctual import ABORT
from llama2_myhdl.host.serve.refusal import Refusal

DISCARDED = 1 << 24  # bytes of a body that is too long which are read and thrown away, so that its sender sees why
UNREAD_SECONDS = 5.0  # behind an answer's time, for what is sent already to be read


@dataclass(frozen=True)
class Endpoint:
    """asks: of the model that is served; created: when it was made, in seconds of Unix."""

    asks: Asks
    machine: Machine
    limits: Limits
    created: int

    def app(self) -> Starlette:
        """As an ASGI application."""
        routes = [
            Route("/v1/models", self._models),
            Route("/v1/models/{name:path}", self._model),
            Route("/v1/completions", self._answering(self.asks.completion, False), methods=["POST"]),
            Route("/v1/chat/completions", self._answering(self.asks.chat, True), methods=["POST"]),
        ]
        return Starlette(routes=routes, exception_handlers={Refusal: _refused, HTTPException: _not_here})

    def _described(self) -> dict:
        return dict(id=self.asks.model, object="model", created=self.created, owned_by="llama2-myhdl")

    async def _models(self, request: Request) -> Response:
        return JSONResponse(dict(object="list", data=[self._described()]))

    async def _model(self, request: Request) -> Response:
        if request.path_params["name"] != self.asks.model:
            raise Refusal(404, f"model: must be {self.asks.model!r}", "model", "model_not_found")
        return JSONResponse(self._described())

    def _answering(self, read: Callable[[bytes], Ask], chat: bool):
        async def answer(request: Request) -> Response:
            ask = await run_in_threadpool(read, await _body(request, self.limits))
            form = Form(self.asks.model, chat, ask.with_usage, ask.with_logprobs)
            order = Order(self.machine, self.asks.tokenizer, ask, self.limits.timeout)
            if ask.stream:
                return _Stream(order, ask, form, self.limits.timeout + UNREAD_SECONDS)
            try:
                return await _unless_left(request, _whole(order, ask, form))
            finally:
                order.give_up()

        return answer


async def _body(request: Request, limits: Limits) -> bytes:
    """The request's body. Raises Refusal."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":  # forms of web pages of others have no such type
        raise Refusal(415, f"content-type: must be application/json, is {ascii(kind[:60])}", closing=True)
    kept, size = [], 0
    try:
        async with asyncio.timeout(limits.body_seconds):
            async for chunk in request.stream():
                size += len(chunk)
                if size <= limits.body:
                    kept.append(chunk)
                elif size > DISCARDED:
                    break
    except TimeoutError as error:
        message = f"the body takes longer than {limits.body_seconds:g} s, {size} bytes have come"
        raise Refusal(408, message, code="timeout", closing=True) from error
    except ClientDisconnect as error:
        raise Refusal(400, "the body ends too early", closing=True) from error
    if size > limits.body:
        raise Refusal(413, f"the body must have at most {limits.body} bytes, has more", code="too_long", closing=True)
    return b"".join(kept)


async def _whole(order: Order, ask: Ask, form: Form) -> Response:
    texts, reasons, tokens = ([[] for _ in order.passages] for _ in range(3))
    async for index, text, reason, said in order.pieces():
        texts[index].append(text)
        reasons[index].append(reason)
        tokens[index] += said
    choices = [("".join(parts), ends[-1], said) for parts, ends, said in zip(texts, reasons, tokens)]
    return JSONResponse(form.whole(choices, usage(ask.prompt_tokens, order.sampled)))


async def _unless_left(request: Request, answering) -> Response:
    """What `answering` gives; its work ends when the client leaves."""
    answer, left = asyncio.create_task(answering), asyncio.create_task(_left(request))
    try:
        await asyncio.wait([answer, left], return_when=asyncio.FIRST_COMPLETED)
        return answer.result() if answer.done() else Response(status_code=400)  # which nobody reads
    finally:
        answer.cancel(), left.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class _Stream(StreamingResponse):
    """The answer as server-sent events. However it ends, its sequences are given up."""

    def __init__(self, order: Order, ask: Ask, form: Form, seconds: float):
        super().__init__(_events(order, ask, form), media_type="text/event-stream")
        self.headers["cache-control"] = "no-store"
        self._order, self._seconds = order, seconds

    async def __call__(self, scope, receive, send) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await super().__call__(scope, receive, send)
        except TimeoutError:  # it is not read
            scope["state"][ABORT]()
            await asyncio.sleep(0)  # the server sees it, and does not miss the end of the answer
        finally:
            self._order.give_up()


async def _events(order: Order, ask: Ask, form: Form) -> AsyncIterator[bytes]:
    for index in range(len(order.passages)):
        if begun := form.begin(index):
            yield begun
    try:
        async with aclosing(order.pieces()) as pieces:
            async for piece in pieces:
                yield form.piece(*piece)
    except Refusal as error:  # the status has been sent
        yield event(error.body())
        return
    yield form.end(usage(ask.prompt_tokens, order.sampled))


async def _refused(request: Request, error: Refusal) -> Response:
    headers = {"connection": "close"} if error.closing else {}
    if error.status in (429, 503):
        headers["retry-after"] = "1"
    return JSONResponse(error.body(), error.status, headers)


async def _not_here(request: Request, error: HTTPException) -> Response:
    message = f"{request.method} {request.url.path[:200]}: {error.detail.lower()}"
    return JSONResponse(Refusal(error.status_code, message).body(), error.status_code, error.headers)
