"""Data-parallel training of a tiny net: torchrun --nproc-per-node 2 train.py --lr 0.01"""

import argparse
import os

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.tensorboard import SummaryWriter

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=1e-2)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

dist.init_process_group("gloo")
rank, world = dist.get_rank(), dist.get_world_size()
torch.manual_seed(args.seed)
torch.set_num_threads(1)
x = torch.randn(256, 4, generator=torch.Generator().manual_seed(0))
y = x.sum(1, keepdim=True).sin()
mine = slice(rank * 192 // world, (rank + 1) * 192 // world)

net = DistributedDataParallel(nn.Linear(4, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=args.lr)
writer = SummaryWriter("runs") if rank == 0 else None
for epoch in range(5):
    loss = nn.functional.mse_loss(net(x[mine]), y[mine])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        val_loss = nn.functional.mse_loss(net.module(x[192:]), y[192:]).item()
    if writer is not None:
        writer.add_scalar("val/loss", val_loss, epoch)
    print(f"rank {os.environ['RANK']} of {world}: epoch {epoch} done", flush=True)
dist.destroy_process_group()
