# SPDX-License-Identifier: MIT
# An experiment with a mediator: a network learns from labelled data how to judge a pair by all that
# the models know of it, and judges the pairs of the data to be clustered. Better than any vote. Copy it
# into a folder of your own and change it, or use it as it is:
#
#     make -f .../pipelines/mediator.mk data=../data/faces train_data=../data/labelled
#
# What every variable means: make -f .../pipelines/cdp.mk help

strategy = mediator
data = data
base = m0
committee = m1 m2 m3 m4

# Labelled items of the same models, of whatever identities: a folder like data, with a meta.txt.
train_data = train

k = 15

# Relationship, affinity, structure: 110 leaves structure out.
input = 111

# The probability above which a pair counts; auto is where the mediator finds the balance by itself.
threshold = auto

max_size = 600

include $(dir $(lastword $(MAKEFILE_LIST)))cdp.mk
