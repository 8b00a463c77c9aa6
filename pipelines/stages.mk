# SPDX-License-Identifier: MIT
# The products of an experiment, from the current values of the variables. cdp.mk includes this once, sweep.mk once for
# each k and threshold, baselines.mk once for each method.

# These do not depend on the threshold.
ifneq ($(cdp-stages-of),$(k))
cdp-stages-of := $(k)
cdp-neighbours := $(shell echo $$(($(k) - 1)))
$(if $(call cdp-is,baseline),,$(foreach s,$(cdp-sets),$(foreach m,$(cdp-models),$(call cdp-neighbours-of,$(cdp-of-$s),$m))))
ifeq ($(strategy),mediator)
$(foreach s,$(cdp-sets),$(call cdp-product,$(cdp-of-$s)features,features,$s,cdp-score features,\
$(foreach m,$(base) $(committee),$($(cdp-of-$s)knn_$m)),$(foreach m,$(base) $(committee),$(cdp-of-$s)features_$m),cdp-featured))
$(call cdp-product,model,model,$(input),cdp-mediate train --input $(cdp-groups-$(input)) --seed $(seed) $(train_options),\
$(train_features),train_meta,cdp-labelled)
endif
endif

ifeq ($(strategy),vote)
# Votes are counted, so members are sorted for a key that does not depend on their order; not if one is named twice.
cdp-voters := $(foreach m,$(cdp-members),$(knn_$m))
$(call cdp-product,pairs,pairs,vote,cdp-score vote --accept $(accept) --threshold $(threshold),\
$(knn_$(base)) $(if $(filter $(words $(cdp-voters)),$(words $(sort $(cdp-voters)))),$(sort $(cdp-voters)),$(cdp-voters)))
cdp-setting := vote_accept$(accept)_th$(threshold)
endif
ifeq ($(strategy),consensus)
$(call cdp-product,pairs,pairs,consensus,cdp-score consensus,\
$(foreach m,$(base) $(committee),$(knn_$m)),$(foreach m,$(base) $(committee),features_$m),cdp-featured)
cdp-setting := consensus
endif
ifeq ($(strategy),groundtruth)
$(call cdp-product,pairs,pairs,truth,cdp-score truth,$(knn_$(base)),meta,cdp-labelled)
cdp-setting := groundtruth
endif
ifeq ($(strategy),mediator)
$(call cdp-product,pairs,pairs,mediator,cdp-mediate apply --threshold $(threshold),$(model) $(features),,cdp-judged)
cdp-setting := mediator_$(input)_th$(threshold)
endif
ifeq ($(strategy),baseline)
ifneq ($(filter $(baseline),$(cdp-with-clusters)),)
ifeq ($(clusters),)
override clusters := $(shell awk -F'\t' '{ sub(/\r$$/, "") } $$NF != "" && $$NF != "-1" && !seen[$$NF]++ { n++ } END { print n }' $(call cdp-quote,$(meta)) 2>/dev/null)
$(if $(clusters),,$(error clusters: no identities in $(meta) to count: set clusters))
endif
endif
cdp-options := $(strip $(if $(filter $(baseline),$(cdp-with-clusters)),--clusters $(clusters)) $(options_$(baseline)))
$(if $(filter $(baseline),$(cdp-without-lists)),,$(call cdp-neighbours-of,,$(base)))
$(call cdp-product,labels,labels,$(baseline),cdp-baseline $(baseline) $(cdp-options) \
$(if $(filter $(baseline),$(cdp-without-features)),,$(call cdp-dim-option,$(base))),\
$(if $(filter $(baseline),$(cdp-without-lists)),,$(knn_$(base))),\
$(if $(filter $(baseline),$(cdp-without-features)),,features_$(base)),cdp-compared)
cdp-folder := k$(k)_baseline/$(subst $(cdp-empty) ,_,$(strip $(baseline) $(cdp-options)))
pairs :=
else
$(call cdp-product,labels,labels,$(strategy),cdp-propagate $(if $(filter map,$(propagation)),--method map,\
	--max-size $(max_size) --step $(step) --max-iter $(max_iter) --forced-stop $(forced_stop)),$(pairs))
cdp-clusters := $(if $(filter map,$(propagation)),map,sz$(max_size)_step$(step))
cdp-folder := k$(k)_$(cdp-setting)/$(cdp-clusters)
endif

figures :=
accuracy :=
ifneq ($(if $(filter no,$(evaluation)),,$(filter-out -,$(cdp-digest-meta))),)
$(call cdp-product,figures,figures,labels,cdp-eval --format tsv,$(labels),meta)
$(if $(pairs),$(call cdp-product,accuracy,accuracy,pairs,cdp-eval pairs --format tsv,$(pairs),meta))
endif

result := $(output)/$(cdp-folder)
