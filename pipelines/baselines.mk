# SPDX-License-Identifier: MIT
# The methods of cdp-baseline on one model, for comparison: labels, metrics, time and memory of each, on one search for
# neighbours. Use it as it is, or include it in a makefile that sets variables:
#
#     make -f .../pipelines/baselines.mk data=../data/faces base=resnet
#     make -f .../pipelines/baselines.mk data=../data/faces base=resnet baselines='dbscan ward' options_dbscan='--eps 0.8'
#
# Variables are those of cdp.mk, with
#   baselines     in place of strategy and baseline: the methods (all; leiden if it was built)
# so clusters, options_METHOD, k and method (exact) apply. Each method is an experiment of cdp.mk in the same store.
#
# Results are OUTPUT/k81_baseline/METHOD[_OPTIONS]/meta.txt and evaluation.tsv, and OUTPUT/k81_baseline/baselines.tsv, a row
# a method. Targets: baselines (the default), and those of cdp.mk.

cdp := $(dir $(lastword $(MAKEFILE_LIST)))
cdp-variables += baselines
$(foreach v,strategy baseline,$(if $(filter command,$(firstword $(origin $v))),\
	$(error $v: not a variable of baselines.mk: use baselines)))
override strategy := baseline
ifeq ($(filter-out undefined environment,$(origin baselines)),)
# Without a file, leiden is an error of usage (2), unless it was built without igraph (1).
override baselines = $(filter-out $(baselines-without),$(cdp-methods))
baselines-without = $(eval baselines-without := $(if $(filter 2,$(shell \
	$(cdp-path) cdp-baseline leiden >/dev/null 2>&1; echo $$?)),,leiden))$(baselines-without)
endif
override baseline = $(firstword $(baselines))
include $(cdp)cdp.mk
.DEFAULT_GOAL := baselines
.PHONY: baselines

ifdef cdp-version

baselines-rows :=
define baselines-method
$(eval override baseline := $1)
$(eval include $(cdp)stages.mk)
$(eval cdp-goals += $(labels) $(figures))
$(eval baselines-rows += $1 $(call cdp-quote,$(cdp-options)) $(call cdp-quote,$(result)) $(labels) $(or $(figures),-))
$(call cdp-remember,result:$(cdp-folder))
endef
$(foreach b,$(baselines),$(call baselines-method,$b))

$(call cdp-remember,result:k$(k)_baseline)
baselines: $(cdp-goals)
	@$(cdp)baselines $(call cdp-quote,$(output)/k$(k)_baseline) $(store)/log $(or $(knn_$(base)),-) $(baselines-rows)

endif
