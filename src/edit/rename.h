// Renaming as extract, merge and inline need it.
#pragma once

#include <string_view>

#include "edit/walk.h"
#include "sardonyx/edit.h"

namespace sardonyx::edit {

// All names of values that the graphs of the model use or define; views on the model.
NameSet value_names(const model::Model& model);

// Replaces names of values in all graphs. No check: see `rename` for what must hold.
void replace_names(model::Model& model, const NameMap& names);

}  // namespace sardonyx::edit
