# SPDX-License-Identifier: MIT
# An experiment with a committee: a pair of the base model is kept if enough committee members have it among their
# neighbours too. Their errors differ, so the threshold can be lower than with one model. Copy this file and change it,
# or use it as it is:
#
#     make -f .../pipelines/vote.mk data=../data/faces base=m0 committee='m1 m2' accept=2
#
# All variables: make -f .../pipelines/cdp.mk help

strategy = vote
data = data
base = m0
committee = m1 m2 m3 m4

# Neighbours, the item itself counted.
k = 15

# Committee members that must agree. Start with all of them and a low threshold.
accept = 4
threshold = 0.66

max_size = 600

include $(dir $(lastword $(MAKEFILE_LIST)))cdp.mk
