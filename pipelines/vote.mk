# SPDX-License-Identifier: MIT
# An experiment with a committee: a neighbour that the base model finds counts where enough of the other
# models find it too. As they err differently, the threshold can be lower than one model alone bears.
# Copy it into a folder of your own and change it, or use it as it is:
#
#     make -f .../pipelines/vote.mk data=../data/faces base=m0 committee='m1 m2' accept=2
#
# What every variable means: make -f .../pipelines/cdp.mk help

strategy = vote
data = data
base = m0
committee = m1 m2 m3 m4

# Neighbours, the item itself counted.
k = 15

# How many of the committee must agree: all of them, with a low threshold, is a good beginning.
accept = 4
threshold = 0.66

max_size = 600

include $(dir $(lastword $(MAKEFILE_LIST)))cdp.mk
