"""The runner's side of a live kernel."""

import asyncio
import os
from pathlib import Path

from jupyter_deepresearch.execution.runner.injecting import inject
from jupyter_deepresearch.execution.runner.kernel import Kernel


def test_a_kernel_that_was_asked_often_before_it_was_prepared_goes_on_speaking(tmp_path: Path) -> None:
    """As on a machine so busy that a kernel answers after many questions."""

    async def scenario() -> tuple[str | None, str | None]:
        inject(tmp_path / "inject")
        kernel = Kernel("python3", str(tmp_path), dict(os.environ), tmp_path / "inject")
        await kernel.launch(lambda: None)
        try:
            await kernel.connect()
            for _ in range(60):
                kernel.client.kernel_info()
                await kernel.client.get_shell_msg(timeout=30)
            reading = asyncio.create_task(_read_on(kernel))
            prepared = await kernel.prepare()
            spoken = await kernel.run_silently("for i in range(200):\n    print(i, flush=True)", 30)
            reading.cancel()
            return prepared, spoken
        finally:
            await kernel.close()

    assert asyncio.run(scenario()) == (None, None)


async def _read_on(kernel: Kernel) -> None:
    while True:
        await kernel.client.get_iopub_msg(timeout=None)
