# SPDX-License-Identifier: MIT
# An experiment with one model: its neighbours above a threshold of similarity become pairs, pairs
# become clusters. Copy it into a folder of your own and change it, or use it as it is:
#
#     make -f .../pipelines/single.mk data=../data/faces base=resnet threshold=0.7
#
# What every variable means: make -f .../pipelines/cdp.mk help

strategy = vote
data = data
base = m0

# Neighbours, the item itself counted. More find more where the same thing comes in very many items.
k = 15

# Above which similarity neighbours are a pair. Higher: fewer strangers in a cluster, more items alone.
threshold = 0.70

# No cluster is larger: above the largest group that you expect.
max_size = 600

include $(dir $(lastword $(MAKEFILE_LIST)))cdp.mk
