"""The live panel in a notebook: a view of the REST API, drawn by the scripts in ``front``, without a state of its own.

From the kernel to the view go traits, each replaced as a whole when it changes (so that a view that comes late or again
has everything at once), and messages. Traits, as JSON:

- ``status``: the status object of the contract (``StatusView``);
- ``rows``: the newest page of the history, newest first (``ExperimentView``, 25 of them);
- ``curves``: ``{live: [{run, experiment, seed, points}], champion: {experiment, points} | null}`` of the objective,
  ``points`` as ``[[step, value], ...]``;
- ``memory`` (``MemoryTexts``) and ``cost`` (``CostView``, its last 14 days);
- ``trouble``: why nothing new is heard of the project, "" while all is well;
- ``points`` (bytes, see ``picture.pack``) and ``points_seq``: the experiments as they were when the panel was made.

Messages to a view: ``{kind: "points", after, seq}`` with packed experiments that changed after ``after`` as its buffer;
``{kind: "answer", id, body}`` or ``{kind: "answer", id, error}``; ``{kind: "beat"}`` where nothing else is to be said.

Messages from a view: ``{kind: "hello", seq}`` (what changed after ``seq``?); ``{kind: "here"}`` while it can be seen;
``{kind: "ask", id, what, ...}`` with ``what`` one of ``history {before?, limit?}``, ``experiment {experiment}``,
``diff {experiment, to?}``, ``parameters {}``; ``{kind: "tell", id, command: {kind, ...}}``, a command of the contract,
in which ``parameters`` are texts as a person types them. An ``id`` is a text that no other view uses, since answers go
to all; a ``command_id`` in the command, of one's own or made here, keeps it from being done twice.

Answers' bodies: rows of the history, newest first; one row; a ``ChangesView``; the ``ParameterView`` lines; ``{seq}``.
What is no number is null. All but ``points`` stays below 90 kB: where it would not, long texts end in "…" and lists are
shorter. Of several pages of points only the last has a new ``seq``; the others repeat ``after``.
"""
