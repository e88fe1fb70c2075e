// Defining networks in the manner of the torch C++ front end: modules, layers, functions, initialisation, random numbers.
#pragma once

#include "sardonyx/nn/containers.h"
#include "sardonyx/nn/functional.h"
#include "sardonyx/nn/init.h"
#include "sardonyx/nn/layers.h"
#include "sardonyx/nn/module.h"
#include "sardonyx/nn/options.h"
#include "sardonyx/nn/random.h"
