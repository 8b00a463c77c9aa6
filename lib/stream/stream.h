// SPDX-License-Identifier: MIT
#ifndef CDP_STREAM_H
#define CDP_STREAM_H

#include "stream/header.h"
#include "stream/reader.h"
#include "stream/table.h"
#include "stream/writer.h"

// The edge stream of cdp-stream(5): what all stages read and write.

#endif
