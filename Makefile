# The commands. Each does all its own set-up; VENV=... puts the environment elsewhere.
VENV ?= .venv
OUT ?= workbench-demo
SAMPLE ?= sample_models/ocr/ppocrv4_rec.onnx
BIN = $(VENV)/bin
READY = $(VENV)/.ready

.PHONY: run test lint bench bench-graph bench-calibration bench-layers bench-plans bench-honest bench-memory bench-tuned bench-drawing bench-waterfall bench-engines bench-search bench-culprits bench-quantizers gpu-check clean

run: $(READY)  ## opens the window; without a display compares precisions on the sample, headless
	@VENV="$(VENV)" OUT="$(OUT)" SAMPLE="$(SAMPLE)" tools/run.sh

test: $(READY)  ## every test
	OMP_WAIT_POLICY=PASSIVE QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(READY)  ## ratios measured in one run; see benchmarks/README.md
	OMP_WAIT_POLICY=PASSIVE QT_QPA_PLATFORM=offscreen $(BIN)/python -m benchmarks

bench-calibration: $(READY)  ## calibration against plain inference and the calibrators of ONNX Runtime
	$(BIN)/python -m benchmarks.bench_calibration

bench-layers: $(READY)  ## errors of layers on models of 1,000 nodes: memory over plain inference, time to the first
	OMP_WAIT_POLICY=PASSIVE OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.bench_layer_errors

bench-graph: $(READY)  ## the graph canvas against Netron's own layout, and against what it promises
	@$(BIN)/python -c "import importlib.util as u, sys; sys.exit(u.find_spec('netron') is None)" || \
		$(BIN)/python -m pip install -q -c requirements.lock netron || true
	OMP_WAIT_POLICY=PASSIVE QT_QPA_PLATFORM=offscreen $(BIN)/python -m benchmarks.bench_graph

bench-plans: $(READY)  ## every precision on every backend, against other tools; goes on where it was stopped
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m benchmarks.bench_plans --out "$(OUT)-plans.jsonl"

bench-honest: $(READY)  ## our medians against benchmark_app and a plain loop of ONNX Runtime
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m benchmarks.bench_honest

bench-drawing: $(READY)  ## whether the window that draws changes the number that a run reports
	OMP_WAIT_POLICY=PASSIVE QT_QPA_PLATFORM=offscreen $(BIN)/python -m benchmarks.bench_drawing

bench-waterfall: $(READY)  ## why INT8 is faster than FP32, or not, layer by layer
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m benchmarks.bench_waterfall

bench-memory: $(READY)  ## the plan of memory against what engines say and what inference takes
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m benchmarks.bench_memory

bench-tuned: $(READY)  ## tuned options against every engine's default and the best of them; goes on where it was stopped
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m benchmarks.bench_tuned --out "$(OUT)-tuned.jsonl"

bench-culprits: $(READY)  ## group testing against one layer at a time, on a model of 200 layers
	OMP_WAIT_POLICY=PASSIVE OPENBLAS_NUM_THREADS=1 $(BIN)/python -m benchmarks.bench_culprits

bench-quantizers: $(READY)  ## other quantizers beside the workbench's own plan, with the same samples
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m benchmarks.bench_quantizers

bench-search: $(READY)  ## the best plan of two samples in ten minutes each, measured again by a fresh process
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m benchmarks.bench_search

bench-engines: $(READY)  ## every model for every target in every precision by TensorRT for RTX; goes on where it was stopped
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -m benchmarks.bench_engines --out "$(OUT)-engines.jsonl"

gpu-check: $(READY)  ## what runs on the GPU of this machine: times, layers, agreement with the CPU reference
	@$(BIN)/python -m tests.gpu.check

$(READY): pyproject.toml requirements.lock tools/setup.sh
	@VENV="$(VENV)" tools/setup.sh
	@touch $(READY)

clean:
	rm -rf $(VENV) $(OUT) dist
