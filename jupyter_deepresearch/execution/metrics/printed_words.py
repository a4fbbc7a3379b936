"""The words by which the reader of printed lines tells metrics from counts, times, sizes and settings."""

import re
from functools import lru_cache


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What stands after a quantity that is no metric: "loss: 0.5" is one, "took: 0.5 s" and "found: 3.5 GB" are not.
UNITS = (
    r"s|secs?|seconds?|ms|us|µs|ns|mins?|minutes?|h|hrs?|hours?|days?|[kKMGT]i?B|bytes?|its?|steps?|samples?|images?|imgs?"
    r"|batch(?:es)?|tokens?|examples?|[kMG]?Hz|[GMT]?FLOP[sS]?|params|parameters|cores?|points?|rounds?|files?|epochs?"
    r"|iterations?|items?|rows?|GPUs?|workers?|fits?|[KMGT]"
)
# Lines of loggers that repeat or describe, and never report. W&B repeats at its end what its hook has seen.
FOREIGN_LINES = (
    "wandb:",
    "[LightGBM]",
    "Traceback",
    "pip ",
    "Collecting ",
    "Downloading ",
    "Requirement ",
    ">  ",
    "---> ",
)
STOP_WORDS = _words("""
    a an the of is are was were has have had with for to at from than and or on in by as its it so far reached got
    info debug warning error critical root
""")
LEVELS = frozenset({"INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL"})
QUALIFIERS = _words("""
    train training val valid validation test eval evaluation dev best avg average mean median total running final last
    current max min top micro macro weighted ema smoothed
""")
HYPER_PARAMETERS = _words("""
    lr learning_rate batch_size bs batch epochs num_epochs n_epochs max_epochs max_steps seed weight_decay wd dropout
    learn_rate initial_learn_rate initial_lr min_delta base_lr reg_alpha reg_lambda alpha gamma tol
    momentum hidden hidden_size hidden_dim width depth layers num_layers n_layers num_workers n_jobs n_estimators
    max_depth min_lr warmup warmup_steps warmup_ratio beta1 beta2 betas eps patience subsample clip grad_clip
""")
_METRICS = _words("""
    loss acc accuracy err error score auc auroc auprc roc ap map f1 fbeta precision recall ppl perplexity bleu rouge
    meteor mae mse rmse mape msle r2 iou miou dice psnr ssim lpips fid wer cer bpb bpc bpd nll elbo kl mcc kappa ndcg
    mrr reward return rew objective fitness correlation spearman pearson ece brier top1 top5 specificity sensitivity
    logloss crossentropy inertia cider spice prec chrf tpr fpr fnr ari nmi silhouette likelihood fscore jaccard
""")
_METRIC_ENDS = ("loss", "acc", "accuracy", "error", "score", "auc", "entropy", "reward")
_DENIED_WORDS = _words("""
    time times eta elapsed duration runtime remaining seconds second secs sec minutes hours ms took speed throughput
    pid port version rank timestamp ts date memory mem ram cpu gpu vram disk util flos flops device cuda progress
    download downloading loading completed complete done line dur wall wps ups fps
    objects deltas swap load driver
""")
_DENIED_NAMES = _words("""
    epoch ep step iter iters iteration iterations global_step round update batch data v_num training validation
    testing sanity fold trial it n num count total shape size
""")
_COUNTERS = _words("epoch step iter iteration epochs steps iters iterations updates timesteps trial")
_PIECES = re.compile(r"[_\-/. ]")
_FILE = re.compile(r".*\.(?:py|ipynb|pyx|c|cc|cpp|h|cu|so|json|ya?ml|toml|txt|csv|log|pt|pth|ckpt)")


@lru_cache(maxsize=2048)
def is_metric(name: str) -> bool:
    """Whether the name holds a word that people use for a metric, as ``val_loss``, ``Acc@1``, ``eval/f1-score``."""
    for piece in _PIECES.split(name.lower()):
        bare = piece.split("@")[0].rstrip("%")
        if bare in _METRICS or bare.rstrip("0123456789") in _METRICS or bare.endswith(_METRIC_ENDS):
            return True
    return False


@lru_cache(maxsize=2048)
def is_denied(name: str) -> bool:
    """Whether the name says a time, a speed, a size, a file or a count of steps."""
    lower = name.lower()
    if lower in _DENIED_NAMES or _FILE.fullmatch(lower):
        return True
    pieces = _PIECES.split(lower)
    if any(piece in _DENIED_WORDS for piece in pieces):
        return not is_metric(pieces[-1])
    return pieces[-1] in _COUNTERS
