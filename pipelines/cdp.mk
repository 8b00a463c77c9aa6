# SPDX-License-Identifier: MIT
# An experiment, from features to evaluated clusters: a change recomputes only the stages that depend on it.
# A makefile in the experiment's folder sets variables and includes this one:
#
#     data = ../data/faces
#     base = m0
#     committee = m1 m2 m3 m4
#     accept = 4
#     threshold = 0.66
#     include /usr/local/share/cdp/pipelines/cdp.mk
#
# so that `make` computes, `make plan` prints what it would do, `make threshold=0.7` tries another value.
# vote.mk, mediator.mk and single.mk beside this file are such makefiles with comments.
#
# Variables (not from the environment, CDP_BIN excepted; in a makefile $ is written $$, and # \#; another
# name is an error on the command line, and in a makefile where it is nearly one of these):
#   data          folder with features/MODEL.bin and, to evaluate, meta.txt; or ARCHIVE:FOLDER
#   base          the model whose neighbours are scored
#   committee     the models that vote on them (none)
#   dim dim_MODEL numbers of a row of raw features, of all models and of one. Needed only where neither
#                 list.txt nor meta.txt in DATA says how many rows there are, and for compressed files
#   k             neighbours, the item itself counted, as in the original system (15)
#   metric method recall     as of cdp-knn (cosine auto 0.99)
#   strategy      vote, mediator or groundtruth (vote)
#   accept        vote: members that must agree (0)
#   threshold     similarity that a pair must exceed (vote: 0.6), or probability (mediator: auto)
#   train_data    mediator: the labelled folder to learn from, of the same models
#   input         mediator: relationship, affinity, structure; a 1 for each that counts (111)
#   seed          mediator: of the training (0); train_options: more words for cdp-mediate train
#   max_size step max_iter forced_stop    as of cdp-propagate (600 0.05 100 split)
#   evaluation    yes, no or auto: where DATA/meta.txt is a file (auto)
#   output        where results go (output); store: where products are kept (.cdp; no blanks)
#   threads       of a tool (the processors over the stages that run side by side under -j)
#   runner        words to put before each tool, such as time or those of a batch system
#   features_MODEL meta train_features_MODEL train_meta       files that lie elsewhere
#   lists_MODEL train_lists_MODEL    ready neighbour lists in place of features: a knn stream, .npz or .tsv
#   CDP_BIN       the folder of the tools, where they are not on PATH
#
# Targets: all (the default); plan; clean-experiment, which removes this experiment's results, and its
# products but for those of other experiments in the store; clean-store; help; and each product
# by its variable's name (make pairs).
#
# A product is STORE/STAGE/KEY.EXT, where KEY is the XXH64 of the stage's command, the digests of its input
# files, the keys of its input products, and the tools' version. So an existing product is right, whatever
# time stamps say, and an earlier value finds the earlier product. A product that differs from its digest in
# STORE/sums is damaged, and made again. All keys are known once make has read this file. STORE/log has a
# line for each stage that ran: time, stage, what, seconds, product, kilobytes of memory, with tabs between.
#
# For makefiles that include this one and go on. Variables that hold the path of a product:
#   knn_MODEL train_knn_MODEL    neighbour lists
#   features train_features      mediator: what the models know of each pair
#   model                        mediator: what it has learned
#   pairs labels                 scored pairs; a cluster for each item
#   figures accuracy             what cdp-eval says of labels and of pairs, TSV; empty without evaluation
# and `result` is the folder of the results (OUTPUT/k15_.../sz600_...). A product of one's own:
#   cdp-variables = width height       before the include: variables of one's own
#   cdp-ext-STAGE = svg
#   $(call cdp-product,VARIABLE,STAGE,WHAT,COMMAND,NEEDS,SOURCES[,RECIPE])
#   $(call cdp-goal,$(VARIABLE))       has it made with all
# sets VARIABLE to a product of STAGE. COMMAND is the tool and all options that shape the product, in
# one order; NEEDS are products and SOURCES names of variables that hold files (of those above); these
# are its key. WHAT is a word for the log. RECIPE is the name of a variable, cdp-run if not given,
#   cdp-run = $(command) -t $(threads-of) -o $(part) $(needs) $(files)
# in which `part` is the file to write, `files` are the sources' quoted names, and `sources` their
# variables. $(call cdp-quote,TEXT) makes a word of any text.

cdp := $(dir $(lastword $(MAKEFILE_LIST)))
cdp-idle := $(or $(findstring n,$(firstword -$(MAKEFLAGS))),$(findstring q,$(firstword -$(MAKEFLAGS))))
.DEFAULT_GOAL := all
MAKEFLAGS += -r --no-print-directory

cdp-quote = '$(subst ','\'',$1)'
cdp-helper = CDP_BIN=$(call cdp-quote,$(CDP_BIN)) $(cdp)
export CDP_BIN

# ---- variables

# The names that the user has set: $(call cdp-set,ORIGIN). Upper-case ones belong to make in makefiles, and to a make that
# runs this one.
cdp-set = $(foreach v,$(.VARIABLES),$(if $(filter $1,$(firstword $(origin $v))),$v))
cdp-lower = $(filter a% b% c% d% e% f% g% h% i% j% k% l% m% n% o% p% q% r% s% t% u% v% w% x% y% z%,$1)
cdp-on-command-line := $(call cdp-set,command)
cdp-on-command-line := $(if $(filter-out 0,$(MAKELEVEL)),$(call cdp-lower,$(cdp-on-command-line)),$(cdp-on-command-line))
cdp-in-makefile := $(filter-out cdp cdp-% sweep-%,$(call cdp-lower,$(call cdp-set,file)))

cdp-default = $(if $(filter undefined environment,$(origin $1)),$(eval override $1 := $2))
$(foreach v,data base committee train_data dim threads runner train_options,$(call cdp-default,$v,))
$(call cdp-default,k,15)
$(call cdp-default,metric,cosine)
$(call cdp-default,method,auto)
$(call cdp-default,recall,0.99)
$(call cdp-default,strategy,vote)
$(call cdp-default,accept,0)
$(call cdp-default,threshold,$(if $(filter mediator,$(strategy)),auto,0.6))
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
cdp-fine = $(if $(filter-out 0,$(.SHELLSTATUS)),$(error wrong variables: see above))

help:
	@sed -n '/^# An experiment/,/^# For makefiles/{/^# For/d; s/^# \{0,1\}//p}' $(cdp)cdp.mk

.PHONY: help

ifneq ($(filter-out help,$(or $(MAKECMDGOALS),all)),)

# ---- the store

cdp-known := data base committee dim k metric method recall strategy accept threshold train_data input seed \
	train_options max_size step max_iter forced_stop evaluation output store threads runner meta train_meta CDP_BIN \
	$(foreach m,$(base) $(committee),$(addsuffix _$m,dim features lists train_features train_lists)) $(cdp-variables)
cdp-words = $(foreach w,$1,$(call cdp-quote,$w))
# $(call cdp-names,OPTION,KNOWN,GIVEN)
cdp-names = $(if $(filter-out $2,$3),$(shell $(cdp)names variable $1 $(call cdp-words,$2) -- $(call cdp-words,$3))$(cdp-fine))
$(call cdp-names,,$(cdp-known),$(cdp-on-command-line))
$(call cdp-names,--near,$(cdp-known),$(cdp-in-makefile))
$(shell $(cdp)values $(call cdp-check,output,text) $(call cdp-check,store,folder))
$(cdp-fine)
# A store is known by its tag, which also keeps backup programs out of it. (run leaves members there.) Listed before
# the tag is looked for, since another make may be writing the tag and then the rest just now.
cdp-found := $(filter-out experiments members,$(notdir $(wildcard $(store)/*)))
ifeq ($(wildcard $(store)/CACHEDIR.TAG),)
$(if $(cdp-found),$(error $(store) is there, but is no store: name another))
$(shell mkdir -p $(store)/experiments && \
	echo 'Signature: 8a477f597d28d172789f06886806bc55' >$(store)/CACHEDIR.TAG)
endif
# Which products an experiment has had: told from others in the store by where its results go.
cdp-record := $(store)/experiments/$(firstword $(shell \
	realpath -zm --relative-to=$(store) -- $(call cdp-quote,$(output)) | xxh64sum))

clean-experiment:
	@$(cdp)forget $(cdp-record) $(call cdp-quote,$(output))

clean-store:
	@rm -rf $(store)

.PHONY: all plan clean-experiment clean-store

# What is to be made is known before anything is removed.
$(if $(filter clean-%,$(MAKECMDGOALS)),$(if $(word 2,$(MAKECMDGOALS)),$(error $(MAKECMDGOALS): clean first, then make the rest)))

ifneq ($(filter-out help clean-experiment clean-store,$(or $(MAKECMDGOALS),all)),)

cdp-is = $(filter $1,$(strategy))
cdp-values := $(shell $(cdp)values \
	$(call cdp-check,data,text) $(call cdp-check,base,name) $(call cdp-check,committee,names) \
	$(call cdp-check,k,count:2:65536) $(call cdp-check,metric,word:cosine:angular:l2:l1:linf:hamming) \
	$(call cdp-check,method,word:auto:exact:approx) $(call cdp-check,recall,real:0:1) \
	$(call cdp-check,strategy,word:vote:mediator:groundtruth) \
	$(if $(call cdp-is,vote),$(call cdp-check,accept,count:0:$(words $(committee))) \
		$(call cdp-check,threshold,real:-1:1)) \
	$(if $(call cdp-is,mediator),$(call cdp-check,train_data,text) \
		$(call cdp-check,input,word:111:110:101:011:100:010:001) \
		$(call cdp-check,threshold,real:0:1:auto) $(call cdp-check,seed,count:0:1e15) \
		$(call cdp-check,train_options,names)) \
	$(call cdp-check,max_size,count:1:4000000000) $(call cdp-check,step,real:0:1) \
	$(call cdp-check,max_iter,count:0:1000000) $(call cdp-check,forced_stop,word:split:merge) \
	$(call cdp-check,evaluation,word:yes:no:auto) \
	$(foreach v,threads $(filter dim dim_%,$(.VARIABLES)),$(if $($v),$(call cdp-check,$v,count:1:1000000))))
$(cdp-fine)
$(foreach v,$(cdp-values),$(eval override $(subst =, := ,$v)))

cdp-path = PATH=$(if $(CDP_BIN),$(call cdp-quote,$(CDP_BIN)):)"$$PATH"
cdp-version := $(lastword $(shell $(cdp-path) cdp-knn --version))
$(if $(cdp-version),,$(error cdp-knn is neither in CDP_BIN nor on PATH))
# Options are parsed before --help is.
$(if $(and $(call cdp-is,mediator),$(train_options)),\
	$(shell $(cdp-path) cdp-mediate train $(train_options) --help >/dev/null)$(cdp-fine))

# ---- the files that it is made of

cdp-members := $(if $(call cdp-is,mediator),$(committee),$(if $(call cdp-is,vote),$(if $(filter-out 0,$(accept)),$(committee))))
cdp-models := $(sort $(base) $(cdp-members))
cdp-sets := data $(if $(call cdp-is,mediator),train_data)
# The names of a set's variables begin with this.
cdp-of-train_data := train_
$(foreach s,$(cdp-sets),$(foreach m,$(cdp-models),$(call cdp-default,$(cdp-of-$s)features_$m,$$($s)/features/$m.bin)))
$(foreach s,$(cdp-sets),$(call cdp-default,$(cdp-of-$s)meta,$$($s)/meta.txt))

# The mediator wants features and lists.
cdp-sources := $(sort $(foreach s,$(cdp-sets),$(foreach m,$(cdp-models),$(cdp-of-$s)$(if $($(cdp-of-$s)lists_$m),lists,features)_$m \
		$(if $(call cdp-is,mediator),$(cdp-of-$s)features_$m))) \
	$(if $(call cdp-is,mediator),train_meta) $(if $(call cdp-is,groundtruth)$(filter-out no,$(evaluation)),meta))
cdp-optional := $(if $(call cdp-is,groundtruth),,$(if $(filter auto,$(evaluation)),meta))

# The dimensions of raw features, and whether files, k and dimensions agree.
cdp-raw = $(foreach m,$(cdp-models),$(if $(filter $1features_$m,$(cdp-sources)),\
	$m $(call cdp-quote,$($1features_$m)) $(call cdp-quote,$(dim_$m))))
cdp-dims := $(shell $(cdp)dims $(call cdp-quote,$(dim)) $(lastword $(or $(cdp-ks),$(k))) $(foreach s,$(cdp-sets),\
	-- $(call cdp-quote,$($s)/list.txt) $(call cdp-quote,$(if $(filter $(cdp-of-$s)meta,$(cdp-sources)),$($(cdp-of-$s)meta))) $(call cdp-raw,$(cdp-of-$s))))
$(cdp-fine)
$(foreach d,$(cdp-dims),$(eval override dim_$(subst =, := ,$d)))

cdp-digests := $(shell $(cdp-helper)digest $(store)/digests \
	$(foreach s,$(cdp-sources),$(call cdp-quote,$(if $(filter $s,$(cdp-optional)),?)$($s))))
$(if $(filter-out 0,$(.SHELLSTATUS)),$(error files that cannot be read: see above))
$(foreach s,$(cdp-sources),$(eval cdp-digest-$s := $(firstword $(cdp-digests)))\
	$(eval cdp-digests := $(wordlist 2,$(words $(cdp-digests)),$(cdp-digests))))

# ---- products

cdp-products :=
cdp-goals :=
cdp-goal = $(eval cdp-goals += $1)$(eval all: $1)
cdp-key = $(firstword $(shell printf %s $(call cdp-quote,$1) | xxh64sum))

# Models with equal features share a product. A product that is there and whole needs nothing; a damaged one is
# made again, whatever make thinks of its time.
.SECONDEXPANSION:
cdp-product = $(eval $1 := $(store)/$2/$(call cdp-key,$(cdp-version) $(strip $4) <$(notdir $5) <$(foreach s,$6,$(cdp-digest-$s))).$(cdp-ext-$2))\
	$(if $(filter $($1),$(cdp-products)),,$(eval $(cdp-rule)))$(eval $1: $($1))$(eval .PHONY: $1)
define cdp-rule
cdp-products += $($1)
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

# The products that are missing or damaged, looked for once, when all are known.
cdp-not-whole = $(if $1,$(shell $(cdp)whole $(store) $(wordlist 1,1000,$1)) $(call cdp-not-whole,$(wordlist 1001,$(words $1),$1)))
cdp-absent = $(eval cdp-absent := $(call cdp-not-whole,$(cdp-products)))$(cdp-absent)

# What has to be made for a product.
cdp-missing = $(if $(filter $1,$(cdp-absent)),$1 $(foreach n,$(cdp-needs-$1),$(call cdp-missing,$n)))
cdp-todo = $(eval cdp-todo := $(sort $(foreach g,$(cdp-goals),$(call cdp-missing,$g))))$(cdp-todo)

# The processors are shared by the products of one stage that make -j makes side by side.
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

cdp-knn-command = cdp-knn -k $(cdp-neighbours) --metric $(metric) --method $(method) \
	$(if $(filter exact,$(method)),,--recall $(recall)) $(addprefix --dim ,$(or $(dim_$1),$(dim)))

# Ready lists, by the ending of the name.
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

# Where all is as it should be, there is nothing to do but to show it.
$(shell $(cdp)result --check $(cdp-result))
cdp-current := $(filter 0,$(.SHELLSTATUS))

all: $(cdp-goals)
ifeq ($(and $(cdp-current),$(cdp-idle)),)
	@$(cdp)result $(cdp-result)
endif

cdp-state = $(if $(filter-out $(cdp-absent),$1),done,$(if $(filter $1,$(cdp-todo)),to do,not needed))
cdp-row = $(info $(shell printf '%-8s %-10s %-10s %-42s %s' $1))
plan:
	@: $(call cdp-row,stage what state product command)$(foreach p,$(cdp-products),\
		$(call cdp-row,$(cdp-plan-$p) '$(call cdp-state,$p)' $p $(call cdp-quote,$(cdp-command-$p))))

# Writes down what clean-experiment is to remove: products, and folders of results.
cdp-remember = $(if $(cdp-idle),,$(call cdp-write,$(filter-out $(file <$(cdp-record)),$(patsubst $(store)/%,%,$(cdp-products)) $1)))
cdp-write = $(if $1,$(file >>$(cdp-record),$1))
$(call cdp-remember,result:k$(k)_$(cdp-setting)/sz$(max_size)_step$(step))

endif
endif

# Recipes of makefiles that go on from here may be pipelines.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
