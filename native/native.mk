# Safety of the parse kernel: sanitizers and fuzzing. Included by the Makefile.
FUZZ_SECONDS ?= 60

.PHONY: sanitize fuzz neon
sanitize: $(VENV)/.dev ## Run the parser's tests on a kernel built with AddressSanitizer and UBSan
	sh native/sanitize.sh $(BIN)/python

fuzz: ## Fuzz the parse kernel (FUZZ_SECONDS=60), coverage-guided, with sanitizers
	sh fuzz/run.sh $(FUZZ_SECONDS)

neon: ## Compare the ARM scan with the portable one on an emulated machine
	sh fuzz/neon.sh
