// SPDX-License-Identifier: MIT
#ifndef CDP_CMD_PICTURES_H
#define CDP_CMD_PICTURES_H

#include "report/report.h"

// Writes where the items' pictures are: below --images, by the paths of --list; with --embed some
// of them too. Failures end the tool.
void report_pictures(const struct report *report, struct cdp_output *output);

#endif
