// SPDX-License-Identifier: MIT
#include <stdio.h>
#include <string.h>

#include "report/report.h"
#include "score/consensus.h"
#include "text.h"

// What `cdp-score consensus` found, from its line in the provenance of pairs (cdp-score(1)).
struct found {
    int signal;
    double ratio, strength, recall, partners, evidence;
};

static bool parse(struct found *f, const char *provenance)
{
    const char *line = provenance ? strstr(provenance, "consensus: signal ") : NULL;
    return line &&
           sscanf(line,
                  "consensus: signal %d, ratio %lf, strength %lf, recall %lf, partners "
                  "%lf, evidence %lf",
                  &f->signal, &f->ratio, &f->strength, &f->recall, &f->partners, &f->evidence) == 6;
}

const char *report_verdict(const char *provenance)
{
    struct found f;
    if (!parse(&f, provenance))
        return NULL;
    if (!f.signal)
        return "No signal: the cosines of these features are those of chance. They tell no "
               "identities apart, or nearly all items are of a few identities, or each is the only "
               "one. These clusters are not to be relied on.";
    const char *kind = f.strength <= 0   ? "Weak features"
                       : f.strength >= 1 ? "Strong features"
                                         : "Features between weak and strong";
    const char *advice =
        f.strength <= 0
            ? "Expect identities in several clusters, see Might be one. Further models help, or a "
              "mediator that learns from labelled pairs."
        : f.strength >= 1 ? "Expect few identities in several clusters."
                          : "Expect some identities in several clusters, see Might be one.";
    const char *lowered =
        f.evidence < 1
            ? text_join(
                  " Scores are lowered, from a probability p to 1 \xe2\x88\x92 (1 \xe2\x88\x92 "
                  "p)^%.2f: single pairs of such features say little.",
                  f.evidence)
            : "";
    const char *skewed =
        cdp_consensus_gaussian(f.ratio)
            ? ""
            : " But the cosines of unlike items are not Gaussian: scores are not to be relied on.";
    return text_join("%s: of the true pairs in clusters, an estimated %.0f %% are above the "
                     "threshold of the scores. An item has %.1f true pairs, by estimate; each "
                     "counts for both of its items. %s%s%s",
                     kind, 100 * f.recall, f.partners, advice, lowered, skewed);
}
