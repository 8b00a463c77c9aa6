# SPDX-License-Identifier: MIT
# One experiment at several thresholds and k: a table of precision, recall and F, the best F, and a plot.
#
#     data = ../data/faces
#     base = m0
#     committee = m1 m2 m3 m4
#     accept = 4
#     thresholds = 0.5:0.8:0.02
#     ks = 10 15 20
#     include /usr/local/share/cdp/pipelines/sweep.mk
#
# or, without a file, make -f .../sweep.mk data=../data/faces base=m0. Variables are those of cdp.mk, with
#   thresholds    in place of threshold: numbers, or FIRST:LAST:STEP (vote: 0.5:0.9:0.02; mediator: ten probabilities
#                 from 0.5 to 0.999)
#   ks            in place of k: numbers or FIRST:LAST:STEP, the item itself counted (15)
# DATA/meta.txt is needed. Each threshold and k is an experiment of cdp.mk in the same store, so cached products are used,
# and a further threshold runs only the stages that depend on it.
#
# Results are OUTPUT/sweep_.../sz600_step0.05/sweep.tsv, and sweep.svg and sweep.png if gnuplot is installed.
# Targets: sweep (the default), and those of cdp.mk.

cdp := $(dir $(lastword $(MAKEFILE_LIST)))
cdp-variables += thresholds ks
$(foreach v,threshold k evaluation,$(if $(filter command,$(firstword $(origin $v))),\
	$(error $v: not a variable of sweep.mk: use thresholds or ks; evaluation is always on)))
sweep-given = $(filter-out undefined environment,$(origin $1))
sweep-strategy := $(if $(call sweep-given,strategy),$(strategy))
sweep-word = '$(subst ','\'',$1)'
ifeq ($(call sweep-given,ks),)
override ks := 15
endif
ifeq ($(call sweep-given,thresholds),)
override thresholds := $(if $(filter mediator,$(sweep-strategy)),0.5 0.7 0.8 0.9 0.95 0.98 0.99 0.995 0.998 0.999,0.5:0.9:0.02)
endif
ifeq ($(filter groundtruth consensus baseline,$(sweep-strategy)),)
sweep-list = $(eval override $1 := $(shell $(cdp)sweep list $1 $2 $(foreach w,$($1),$(call sweep-word,$w))))\
	$(if $(filter-out 0,$(.SHELLSTATUS)),$(error $1: wrong list: see above))
else
$(error strategy: $(sweep-strategy) has no threshold to sweep)
endif
$(call sweep-list,ks,count:2:65536)
$(call sweep-list,thresholds,real:$(if $(filter mediator,$(sweep-strategy)),0,-1):1)

cdp-ks := $(ks)
override evaluation := yes
override k := $(firstword $(ks))
override threshold := $(firstword $(thresholds))
include $(cdp)cdp.mk
.DEFAULT_GOAL := sweep
.PHONY: sweep

ifdef cdp-version

sweep-points :=
sweep-figures :=
define sweep-point
$(eval override k := $1)
$(eval override threshold := $2)
$(eval include $(cdp)stages.mk)
$(eval sweep-points += $1:$2)
$(eval sweep-figures += $(figures))
endef
$(foreach i,$(ks),$(foreach t,$(thresholds),$(call sweep-point,$i,$t)))

cdp-ext-table = tsv
cdp-ext-svg = svg
cdp-ext-png = png
sweep-table = $(cdp)sweep table $(part) $(wordlist 2,$(words $(command)),$(command)) $(needs)
sweep-plot = $(cdp)sweep $(wordlist 1,2,$(command)) $(part) $(needs) $(wordlist 3,$(words $(command)),$(command))
sweep-setting := $(if $(filter vote,$(strategy)),vote_accept$(accept),mediator_$(input))
sweep-title := '$(if $(filter vote,$(strategy)),vote$(if $(cdp-members),: $(accept) of $(words $(cdp-members)) agree),mediator $(input))'

$(call cdp-product,table,table,sweep,table $(sweep-points),$(sweep-figures),,sweep-table)
sweep-plots := $(if $(shell command -v gnuplot),svg png)
$(foreach p,$(sweep-plots),$(call cdp-product,$p,$p,sweep,plot $p $(sweep-title),$(table),,sweep-plot))
cdp-goals += $(table) $(foreach p,$(sweep-plots),$($p))

sweep-result := sweep_$(sweep-setting)/$(cdp-clusters)
$(call cdp-remember,result:$(sweep-result))
sweep: $(table) $(foreach p,$(sweep-plots),$($p))
	@$(cdp)sweep result $(call cdp-quote,$(output)/$(sweep-result)) $^
	@$(if $(sweep-plots),,echo 'gnuplot (Debian: gnuplot-nox) is not installed: no plot was made' >&2)

endif
