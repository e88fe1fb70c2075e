// Products with one row: c = x * B without packing. Limited by memory, so B is read once, in place.
#pragma once

#include "kernels/cpu/gemm/gemm.h"

namespace sardonyx::kernels {

// Why this kernel does not take the product; nullptr: it does.
const char* gemv_refuses(const GemmShape& shape, const Matrix& a, const Matrix& b) noexcept;

void gemv(const GemmShape& shape, const Matrix& a, const Matrix& b, const Epilogue& epilogue, float* c, core::ThreadPool& pool) noexcept;

}  // namespace sardonyx::kernels
