# SPDX-License-Identifier: MIT
# An experiment with one model: neighbours with a similarity above a threshold become pairs, and pairs become
# clusters. Copy this file and change it, or use it as it is:
#
#     make -f .../pipelines/single.mk data=../data/faces base=resnet threshold=0.7
#
# All variables: make -f .../pipelines/cdp.mk help

strategy = vote
data = data
base = m0

# Neighbours, the item itself counted. More neighbours raise the recall of large clusters.
k = 15

# Similarity that a pair must exceed. A higher one raises precision and lowers recall.
threshold = 0.70

# Upper bound on the size of a cluster: above the largest one that you expect.
max_size = 600

include $(dir $(lastword $(MAKEFILE_LIST)))cdp.mk
