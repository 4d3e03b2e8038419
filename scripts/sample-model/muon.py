"""Muon: momentum whose step is made orthogonal, for the matrices inside the layers.

torch.optim.Muon computes in bfloat16, which is very slow on CPUs without such
instructions; this one stays in float32. Steps have the RMS of AdamW's.
"""

import torch
import torch.distributed as distributed


class Muon(torch.optim.Optimizer):
    def __init__(self, matrices, lr: float, momentum: float = 0.95, weight_decay: float = 0.05):
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure=None) -> None:
        for group in self.param_groups:
            # The processes share the work: each makes the directions of its share of the matrices.
            matrices = [matrix for matrix in group["params"] if matrix.grad is not None]
            owners = shares([matrix.numel() * min(matrix.shape) for matrix in matrices])
            directions = torch.zeros(sum(matrix.numel() for matrix in matrices))
            places = directions.split([matrix.numel() for matrix in matrices])
            for matrix, owner, place in zip(matrices, owners, places):
                state = self.state[matrix]
                if not state:
                    state["velocity"] = torch.zeros_like(matrix)
                velocity = state["velocity"].lerp_(matrix.grad, 1 - group["momentum"])
                if owner == process():
                    place.copy_(orthogonal(matrix.grad.lerp(velocity, group["momentum"])).flatten())
            if distributed.is_initialized():
                distributed.all_reduce(directions)
            for matrix, place in zip(matrices, places):
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(place.view_as(matrix), alpha=-group["lr"] * 0.2 * max(matrix.shape) ** 0.5)


def process() -> int:
    return distributed.get_rank() if distributed.is_initialized() else 0


def shares(costs: list[int]) -> list[int]:
    """Which process does what, so that all are done at about the same time."""
    loads = [0] * (distributed.get_world_size() if distributed.is_initialized() else 1)
    owners = [0] * len(costs)
    for index in sorted(range(len(costs)), key=lambda index: -costs[index]):
        owners[index] = loads.index(min(loads))
        loads[owners[index]] += costs[index]
    return owners


def orthogonal(matrix: torch.Tensor, iterations: int = 5) -> torch.Tensor:
    """The nearest matrix with equal singular values, nearly (quintic Newton–Schulz)."""
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(iterations):
        product = x @ x.T
        x = 3.4445 * x + (-4.7750 * product + 2.0315 * product @ product) @ x
    return x.T if tall else x
