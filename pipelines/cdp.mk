# SPDX-License-Identifier: MIT
# An experiment, from features to evaluated clusters: after a change only the stages that depend on it run.
# A makefile in the experiment's folder sets variables and includes this one:
#
#     data = ../data/faces
#     base = m0
#     committee = m1 m2 m3 m4
#     accept = 4
#     threshold = 0.66
#     include /usr/local/share/cdp/pipelines/cdp.mk
#
# Then `make` runs it, `make plan` prints the stages, `make threshold=0.7` tries another value.
# vote.mk, mediator.mk and single.mk beside this file are such makefiles with comments.
#
# Variables. Of the environment only CDP_BIN counts. In a makefile $ is written $$, and # \#. Unknown names are errors on
# the command line; in a makefile only if they are close to a known one. Defaults are in brackets.
#   data          folder with features/MODEL.bin and, for evaluation, meta.txt; or ARCHIVE:FOLDER
#   base          the model whose neighbours become pairs
#   committee     the models that vote on the pairs (none)
#   dim dim_MODEL dimension of raw features, of all models or of one. Needed without list.txt and meta.txt in DATA, which
#                 give the number of rows, and for compressed files
#   k             neighbours, the item itself counted, as in the original system (15; baseline: 81)
#   metric method recall     options of cdp-knn (cosine auto 0.99; baseline: cosine exact)
#   strategy      vote, mediator, groundtruth, consensus: without labels and threshold, by the map equation; or baseline: a
#                 method of cdp-baseline on the base model (vote)
#   accept        vote: committee members that must agree (0)
#   threshold     similarity that a pair must exceed (vote: 0.6), or probability (mediator: auto, with the map equation 0.8)
#   train_data    mediator: a labelled folder like DATA, with the same models
#   input         mediator: a 1 or 0 each for relationship, affinity and structure (111)
#   seed          mediator: seed of the training (0)
#   train_options mediator: further options of cdp-mediate train (none)
#   propagation   mediator: method of cdp-propagate, ladder or map (ladder)
#   max_size step max_iter forced_stop    options of cdp-propagate without the map equation (600 0.05 100 split)
#   baseline      baseline: the method (dbscan)
#   clusters      baseline: clusters of kmeans, minibatch, spectral and ward (the identities in meta.txt)
#   options_METHOD baseline: further options of METHOD (none, so its defaults)
#   evaluation    yes, no or auto: if DATA/meta.txt exists (auto)
#   output        folder of the results (output)
#   store         folder of the products; no blanks in its name (.cdp)
#   threads       threads of a tool (the processors, divided by the stages that -j runs at once)
#   runner        words to put before each tool, such as time, or a batch system's command
#   features_MODEL meta train_features_MODEL train_meta       files in other places
#   lists_MODEL train_lists_MODEL    neighbour lists in place of features: a knn stream, .npz or .tsv
#   CDP_BIN       the folder of the tools, if they are not on PATH
#
# Targets: all (the default); plan; clean-experiment, which removes the results of this experiment and the products that no
# other experiment in the store uses; clean-store; help; and each product by its variable's name (make pairs).
#
# A product is STORE/STAGE/KEY.EXT. KEY is the XXH64 of the stage's command, the digests of its input files, the keys of its
# input products, and the version of the tools. So an existing product is valid, whatever its time stamp, and a return to
# earlier values uses the earlier products. A product that differs from its digest in STORE/sums is damaged, and made
# again. All keys are known once make has read this file. STORE/log has a line for each stage that ran, with tabs between:
# time, stage, what, seconds, product, kilobytes of memory.
#
# For makefiles that include this one and add products. Variables that hold the path of a product:
#   knn_MODEL train_knn_MODEL    neighbour lists
#   features train_features      mediator: pair features
#   model                        mediator: the trained network
#   pairs labels                 scored pairs; the cluster of each item
#   figures accuracy             metrics of labels and of pairs (TSV of cdp-eval); empty without evaluation
# `result` is the folder of the results (OUTPUT/k15_.../sz600_...). A new product:
#   cdp-variables = width height       before the include: names of new variables
#   cdp-ext-STAGE = svg                extension of the products of STAGE
#   $(call cdp-product,VARIABLE,STAGE,WHAT,COMMAND,NEEDS,SOURCES[,RECIPE])
#   $(call cdp-goal,$(VARIABLE))       makes the product part of `all`
# cdp-product sets VARIABLE to the path. COMMAND is the tool with all options that affect the content, in a fixed
# order; NEEDS are products; SOURCES are names of variables that hold files. These three make the key. WHAT is a word for
# the log. RECIPE is the name of a variable, by default
#   cdp-run = $(command) -t $(threads-of) -o $(part) $(needs) $(files)
# in which `part` is the file to write, and `files` are the quoted names of the sources, whose variables are `sources`.
# $(call cdp-quote,TEXT) quotes a text for the shell.

cdp := $(dir $(lastword $(MAKEFILE_LIST)))
cdp-idle := $(or $(findstring n,$(firstword -$(MAKEFLAGS))),$(findstring q,$(firstword -$(MAKEFLAGS))))
.DEFAULT_GOAL := all
MAKEFLAGS += -r --no-print-directory

cdp-quote = '$(subst ','\'',$1)'
cdp-path = PATH=$(if $(CDP_BIN),$(call cdp-quote,$(CDP_BIN)):)"$$PATH"
cdp-helper = CDP_BIN=$(call cdp-quote,$(CDP_BIN)) $(cdp)
export CDP_BIN

# ---- variables

# $(call cdp-set,ORIGIN): the names that the user has set. In makefiles upper-case names belong to make; on the command line
# of a recursive make they may belong to the outer makefile.
cdp-set = $(foreach v,$(.VARIABLES),$(if $(filter $1,$(firstword $(origin $v))),$v))
cdp-lower = $(filter a% b% c% d% e% f% g% h% i% j% k% l% m% n% o% p% q% r% s% t% u% v% w% x% y% z%,$1)
cdp-on-command-line := $(call cdp-set,command)
cdp-on-command-line := $(if $(filter-out 0,$(MAKELEVEL)),$(call cdp-lower,$(cdp-on-command-line)),$(cdp-on-command-line))
cdp-in-makefile := $(filter-out cdp cdp-% sweep-% baselines-%,$(call cdp-lower,$(call cdp-set,file)))

# The methods of cdp-baseline, and those among them that take no lists, no features, or a number of clusters.
cdp-methods := chinese-whispers dbscan finch hdbscan kmeans knn-dbscan leiden minibatch rank-order single spectral ward
cdp-without-lists := kmeans minibatch
cdp-without-features := chinese-whispers knn-dbscan leiden rank-order spectral
cdp-with-clusters := kmeans minibatch spectral ward
# Those of this experiment; more than one in baselines.mk.
cdp-baselines = $(or $(baselines),$(baseline))

cdp-default = $(if $(filter undefined environment,$(origin $1)),$(eval override $1 := $2))
$(foreach v,data base committee train_data dim threads runner train_options clusters baselines \
	$(addprefix options_,$(cdp-methods)),$(call cdp-default,$v,))
$(call cdp-default,strategy,vote)
cdp-is = $(filter $1,$(strategy))
# 80 others: chinese-whispers and leiden use as many. The other methods use the first of them.
$(call cdp-default,k,$(if $(call cdp-is,baseline),81,15))
$(call cdp-default,metric,cosine)
$(call cdp-default,method,$(if $(call cdp-is,baseline),exact,auto))
$(call cdp-default,recall,0.99)
$(call cdp-default,accept,0)
$(call cdp-default,propagation,$(if $(call cdp-is,consensus),map,ladder))
$(call cdp-default,threshold,$(if $(call cdp-is,mediator),$(if $(filter map,$(propagation)),0.8,auto),0.6))
$(call cdp-default,baseline,dbscan)
$(call cdp-default,input,111)
$(call cdp-default,seed,0)
$(call cdp-default,max_size,600)
$(call cdp-default,step,0.05)
$(call cdp-default,max_iter,100)
$(call cdp-default,forced_stop,split)
$(call cdp-default,evaluation,auto)
$(call cdp-default,output,output)
$(call cdp-default,store,.cdp)

cdp-check = $1 $2 $(call cdp-quote,$($1))
cdp-fine = $(if $(filter-out 0,$(.SHELLSTATUS)),$(error wrong values of variables: see above))

help:
	@sed -n '/^# An experiment/,/^# For makefiles/{/^# For/d; s/^# \{0,1\}//p}' $(cdp)cdp.mk

.PHONY: help

ifneq ($(filter-out help,$(or $(MAKECMDGOALS),all)),)

# ---- the store

cdp-known := data base committee dim k metric method recall strategy accept threshold train_data input seed \
	train_options propagation max_size step max_iter forced_stop baseline clusters $(addprefix options_,$(cdp-methods)) \
	evaluation output store threads runner meta train_meta CDP_BIN \
	$(foreach m,$(base) $(committee),$(addsuffix _$m,dim features lists train_features train_lists)) $(cdp-variables)
cdp-words = $(foreach w,$1,$(call cdp-quote,$w))
# $(call cdp-names,OPTION,KNOWN,GIVEN)
cdp-names = $(if $(filter-out $2,$3),$(shell $(cdp)names variable $1 $(call cdp-words,$2) -- $(call cdp-words,$3))$(cdp-fine))
cdp-links := $(filter must_link cannot_link,$(cdp-on-command-line))
$(if $(cdp-links),$(error $(cdp-links): experiments have no constraints: cdp-propagate and cdp-cluster take them))
$(call cdp-names,,$(cdp-known),$(cdp-on-command-line))
# A makefile may have them for another strategy.
cdp-useless := $(if $(call cdp-is,consensus),$(filter threshold accept,$(cdp-on-command-line)))
$(if $(cdp-useless),$(error $(cdp-useless): no effect on consensus, which finds its threshold: cdp-score consensus has --false-alarms))
$(call cdp-names,--near,$(cdp-known),$(cdp-in-makefile))
$(shell $(cdp)values $(call cdp-check,output,text) $(call cdp-check,store,folder))
$(cdp-fine)
# CACHEDIR.TAG marks a store, and makes backup programs skip it. The folder is listed before the tag is looked for, since
# another make may be creating both. `run` makes experiments and members before there is a tag.
cdp-found := $(filter-out experiments members,$(notdir $(wildcard $(store)/*)))
ifeq ($(wildcard $(store)/CACHEDIR.TAG),)
$(if $(cdp-found),$(error $(store): exists, but is not a store: set store to another folder))
$(shell mkdir -p $(store)/experiments && \
	echo 'Signature: 8a477f597d28d172789f06886806bc55' >$(store)/CACHEDIR.TAG)
endif
# The record of this experiment's products. Experiments in one store differ by their output folder.
cdp-record := $(store)/experiments/$(firstword $(shell \
	realpath -zm --relative-to=$(store) -- $(call cdp-quote,$(output)) | xxh64sum))

clean-experiment:
	@$(cdp)forget $(cdp-record) $(call cdp-quote,$(output))

clean-store:
	@rm -rf $(store)

.PHONY: all plan clean-experiment clean-store

# Products are planned before a recipe runs, so a clean target cannot be followed by another.
$(if $(filter clean-%,$(MAKECMDGOALS)),$(if $(word 2,$(MAKECMDGOALS)),$(error $(MAKECMDGOALS): run make for the clean target alone)))

ifneq ($(filter-out help clean-experiment clean-store,$(or $(MAKECMDGOALS),all)),)

cdp-empty :=
cdp-values := $(shell $(cdp)values \
	$(call cdp-check,data,text) $(call cdp-check,base,name) $(call cdp-check,committee,names) \
	$(call cdp-check,k,count:2:65536) \
	$(call cdp-check,metric,word:cosine$(if $(call cdp-is,baseline),,:angular:l2:l1:linf:hamming)) \
	$(call cdp-check,method,word:auto:exact:approx) $(call cdp-check,recall,real:0:1) \
	$(call cdp-check,strategy,word:consensus:vote:mediator:groundtruth:baseline) \
	$(if $(call cdp-is,vote),$(call cdp-check,accept,count:0:$(words $(committee))) \
		$(call cdp-check,threshold,real:-1:1)) \
	$(if $(call cdp-is,mediator),$(call cdp-check,train_data,text) \
		$(call cdp-check,input,word:111:110:101:011:100:010:001) \
		$(call cdp-check,threshold,real:0:1:auto) $(call cdp-check,seed,count:0:1e15) \
		$(call cdp-check,train_options,names)) \
	$(if $(call cdp-is,baseline),$(foreach b,$(cdp-baselines),\
		baseline word:$(subst $(cdp-empty) ,:,$(cdp-methods)) $(call cdp-quote,$b) \
		$(if $(filter $b,$(cdp-methods)),$(call cdp-check,options_$b,names))) \
		$(if $(clusters),$(call cdp-check,clusters,count:1:4000000000)), \
		$(call cdp-check,propagation,word$(if $(call cdp-is,consensus),,:ladder)$(if $(call cdp-is,consensus mediator),:map))) \
	$(call cdp-check,max_size,count:1:4000000000) $(call cdp-check,step,real:0:1) \
	$(call cdp-check,max_iter,count:0:1000000) $(call cdp-check,forced_stop,word:split:merge) \
	$(call cdp-check,evaluation,word:yes:no:auto) \
	$(foreach v,threads $(filter dim dim_%,$(.VARIABLES)),$(if $($v),$(call cdp-check,$v,count:1:1000000))))
$(cdp-fine)
$(foreach v,$(cdp-values),$(eval override $(subst =, := ,$v)))

cdp-version := $(lastword $(shell $(cdp-path) cdp-knn --version))
$(if $(cdp-version),,$(error cdp-knn: not in CDP_BIN and not on PATH: set CDP_BIN))
# --help makes the tools check the options and nothing else.
$(if $(and $(call cdp-is,mediator),$(train_options)),\
	$(shell $(cdp-path) cdp-mediate train $(train_options) --help >/dev/null)$(cdp-fine))
$(if $(call cdp-is,baseline),$(foreach b,$(cdp-baselines),$(if $(options_$b),\
	$(shell $(cdp-path) cdp-baseline $b $(options_$b) --help >/dev/null)$(cdp-fine))))

# ---- input files

cdp-members := $(if $(call cdp-is,mediator consensus),$(committee),$(if $(call cdp-is,vote),$(if $(filter-out 0,$(accept)),$(committee))))
cdp-models := $(sort $(base) $(cdp-members))
cdp-sets := data $(if $(call cdp-is,mediator),train_data)
# The prefix of the variables of the labelled set.
cdp-of-train_data := train_
$(foreach s,$(cdp-sets),$(foreach m,$(cdp-models),$(call cdp-default,$(cdp-of-$s)features_$m,$$($s)/features/$m.bin)))
$(foreach s,$(cdp-sets),$(call cdp-default,$(cdp-of-$s)meta,$$($s)/meta.txt))

# The mediator, consensus and some baselines need features and lists.
cdp-sources := $(sort $(foreach s,$(cdp-sets),$(foreach m,$(cdp-models),$(cdp-of-$s)$(if $($(cdp-of-$s)lists_$m),lists,features)_$m \
		$(if $(or $(call cdp-is,mediator consensus),$(and $(call cdp-is,baseline),$(filter-out $(cdp-without-features),$(cdp-baselines)))),\
			$(cdp-of-$s)features_$m))) \
	$(if $(call cdp-is,mediator),train_meta) $(if $(call cdp-is,groundtruth)$(filter-out no,$(evaluation)),meta))
cdp-optional := $(if $(call cdp-is,groundtruth),,$(if $(filter auto,$(evaluation)),meta))

# Dimensions of raw features; fails if files, k and dimensions contradict each other.
cdp-raw = $(foreach m,$(cdp-models),$(if $(filter $1features_$m,$(cdp-sources)),\
	$m $(call cdp-quote,$($1features_$m)) $(call cdp-quote,$(dim_$m))))
cdp-dims := $(shell $(cdp)dims $(call cdp-quote,$(dim)) $(lastword $(or $(cdp-ks),$(k))) $(foreach s,$(cdp-sets),\
	-- $(call cdp-quote,$($s)/list.txt) $(call cdp-quote,$(if $(filter $(cdp-of-$s)meta,$(cdp-sources)),$($(cdp-of-$s)meta))) $(call cdp-raw,$(cdp-of-$s))))
$(cdp-fine)
$(foreach d,$(cdp-dims),$(eval override dim_$(subst =, := ,$d)))

cdp-digests := $(shell $(cdp-helper)digest $(store)/digests \
	$(foreach s,$(cdp-sources),$(call cdp-quote,$(if $(filter $s,$(cdp-optional)),?)$($s))))
$(if $(filter-out 0,$(.SHELLSTATUS)),$(error input files cannot be read: see above))
$(foreach s,$(cdp-sources),$(eval cdp-digest-$s := $(firstword $(cdp-digests)))\
	$(eval cdp-digests := $(wordlist 2,$(words $(cdp-digests)),$(cdp-digests))))

# ---- products

cdp-products :=
cdp-goals :=
cdp-goal = $(eval cdp-goals += $1)$(eval all: $1)
cdp-key = $(firstword $(shell printf %s $(call cdp-quote,$1) | xxh64sum))

# Models with equal features share a product. A valid product has no prerequisites; a damaged one depends on cdp-again,
# so that it is made whatever its time. Products are precious: otherwise an interrupted make deletes one that `stage` has written when
# it has not ended yet.
.SECONDEXPANSION:
cdp-product = $(eval $1 := $(store)/$2/$(call cdp-key,$(cdp-version) $(strip $4) <$(notdir $5) <$(foreach s,$6,$(cdp-digest-$s))).$(cdp-ext-$2))\
	$(if $(filter $($1),$(cdp-products)),,$(eval $(cdp-rule)))$(eval $1: $($1))$(eval .PHONY: $1)
define cdp-rule
cdp-products += $($1)
.PRECIOUS: $($1)
cdp-plan-$($1) := $2 $3
cdp-command-$($1) := $(strip $4)
cdp-needs-$($1) := $5
$($1): private command = $$(cdp-command-$$@)
$($1): private needs := $5
$($1): private sources := $6
$($1): $$$$(if $$$$(filter $$$$@,$$$$(cdp-absent)),cdp-again) | $$$$(if $$$$(filter $$$$@,$$$$(cdp-absent)),$5)
	@$$(cdp)stage $$@ $2 $3 $$(runner) $$($(or $7,cdp-run))
endef
.PHONY: cdp-again
part = $@.part
files = $(foreach s,$(sources),$(call cdp-quote,$($s)))
cdp-run = $(command) -t $(threads-of) -o $(part) $(needs) $(files)

# The missing and damaged products; evaluated once, when all products are known.
cdp-not-whole = $(if $1,$(shell $(cdp)whole $(store) $(wordlist 1,1000,$1)) $(call cdp-not-whole,$(wordlist 1001,$(words $1),$1)))
cdp-absent = $(eval cdp-absent := $(call cdp-not-whole,$(cdp-products)))$(cdp-absent)

# $(call cdp-missing,PRODUCT): the products that must be made for it.
cdp-missing = $(if $(filter $1,$(cdp-absent)),$1 $(foreach n,$(cdp-needs-$1),$(call cdp-missing,$n)))
cdp-todo = $(eval cdp-todo := $(sort $(foreach g,$(cdp-goals),$(call cdp-missing,$g))))$(cdp-todo)

# The products of one stage that make -j makes at once share the processors.
cdp-jobs = $(if $(filter -j%,$(MAKEFLAGS)),$(or $(patsubst -j%,%,$(filter -j%,$(MAKEFLAGS))),1024),1)
cdp-abreast = $(or $(filter-out 0,$(words $(wordlist 1,$(cdp-jobs),$(filter $(@D)/%,$(cdp-todo))))),1)
threads-of = $(or $(threads),$(shell n=$$(($$(nproc) / $(cdp-abreast))); echo $$((n > 0 ? n : 1))))

# ---- stages

cdp-ext-knn = cdp
cdp-ext-lists = cdp
cdp-ext-features = cdp
cdp-ext-model = model
cdp-ext-pairs = cdp
cdp-ext-labels = txt
cdp-ext-figures = tsv
cdp-ext-accuracy = tsv

cdp-dim-option = $(addprefix --dim ,$(or $(dim_$1),$(dim)))
cdp-knn-command = cdp-knn -k $(cdp-neighbours) --metric $(metric) --method $(method) \
	$(if $(filter exact,$(method)),,--recall $(recall)) $(cdp-dim-option)

# Neighbour lists of other programs, by the ending of the file name.
cdp-lists-command = $(or $(if $(filter %.npz,$1),cdp-view --from npz --metric $(metric)),\
	$(if $(filter %.tsv,$1),cdp-view --from tsv --type knn --metric $(metric)),cp)
cdp-copy = cp $(files) $(part)

cdp-lists = $(call cdp-product,$1knn_$2,lists,$1$2,$3,,$1lists_$2,$(if $(filter cp,$3),cdp-copy))
cdp-neighbours-of = $(if $($1lists_$2),$(call cdp-lists,$1,$2,$(call cdp-lists-command,$($1lists_$2))),\
	$(call cdp-product,$1knn_$2,knn,$1$2,$(call cdp-knn-command,$2),,$1features_$2))

cdp-labelled = $(command) -t $(threads-of) -o $(part) --labels $(files) $(needs)
cdp-featured = $(command) -t $(threads-of) -o $(part) \
	$(foreach s,$(sources),--features $(call cdp-quote,$($s))) $(needs)
cdp-judged = $(command) -t $(threads-of) -o $(part) --model $(needs)
cdp-compared = $(command) -t $(threads-of) -o $(part) $(addprefix --knn ,$(needs)) $(files)

cdp-groups-111 = relationship,affinity,structure
cdp-groups-110 = relationship,affinity
cdp-groups-101 = relationship,structure
cdp-groups-011 = affinity,structure
cdp-groups-100 = relationship
cdp-groups-010 = affinity
cdp-groups-001 = structure

include $(cdp)stages.mk
cdp-goals += $(labels) $(figures) $(accuracy)

# ---- results

cdp-result := $(call cdp-quote,$(result)) $(labels) $(figures) $(accuracy)

# If the results are current, `all` only prints them; with -n or -q it does nothing.
$(shell $(cdp)result --check $(cdp-result))
cdp-current := $(filter 0,$(.SHELLSTATUS))

all: $(cdp-goals)
ifeq ($(and $(cdp-current),$(cdp-idle)),)
	@$(cdp)result $(cdp-result)
endif

cdp-state = $(if $(filter-out $(cdp-absent),$1),done,$(if $(filter $1,$(cdp-todo)),to do,not needed))
cdp-row = $(info $(shell printf '%-8s %-16s %-10s %-42s %s' $1))
plan:
	@: $(call cdp-row,stage what state product command)$(foreach p,$(cdp-products),\
		$(call cdp-row,$(cdp-plan-$p) '$(call cdp-state,$p)' $p $(call cdp-quote,$(cdp-command-$p))))

# Records products and result folders for clean-experiment.
cdp-remember = $(if $(cdp-idle),,$(call cdp-write,$(filter-out $(file <$(cdp-record)),$(patsubst $(store)/%,%,$(cdp-products)) $1)))
cdp-write = $(if $1,$(file >>$(cdp-record),$1))
$(call cdp-remember,result:$(cdp-folder))

endif
endif

# For recipes of including makefiles, which may be pipes.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
