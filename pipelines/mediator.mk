# SPDX-License-Identifier: MIT
# An experiment with a mediator: a network learns from labelled data whether a pair of neighbours has one identity, and
# scores the pairs of the data to be clustered. With enough labelled data it is better than a vote. Copy this file
# and change it, or use it as it is:
#
#     make -f .../pipelines/mediator.mk data=../data/faces train_data=../data/labelled
#
# All variables: make -f .../pipelines/cdp.mk help

strategy = mediator
data = data
base = m0
committee = m1 m2 m3 m4

# The labelled data set: the same models, any identities, with meta.txt.
train_data = train

k = 15

# Groups of pair features: relationship, affinity, structure; 110 leaves structure out.
input = 111

# Probability that a pair must exceed; auto: where the clusters of the labelled pairs have the highest F.
threshold = auto

max_size = 600

include $(dir $(lastword $(MAKEFILE_LIST)))cdp.mk
