// Loops over elements on the host, and the step from a Dtype to a C++ type.
#pragma once

#include "bench/allreduce/dtype.hpp"
#include "bench/allreduce/element.hpp"

#include <cstddef>

namespace allreduce {

// Calls f(T{}) with the element type of `dtype`.
template <class F>
decltype(auto) with_type(Dtype dtype, F f) {
    switch (dtype) {
        case Dtype::float16:
            return f(Half{});
        case Dtype::bfloat16:
            return f(Bfloat16{});
        case Dtype::float64:
            return f(double{});
        case Dtype::int32:
            return f(std::int32_t{});
        case Dtype::float32:
            break;
    }
    return f(float{});
}

// to[i] = to[i] op from[i].
template <class Operation, class T>
void combine_into(T* to, const T* from, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i)
        to[i] = store<T>(Operation::combine(load(to[i]), load(from[i])));
}

// Turns sums over `ranks` into averages.
template <class T>
void average_all(T* sums, std::size_t count, int ranks) {
    for (std::size_t i = 0; i < count; ++i) sums[i] = store<T>(average(load(sums[i]), ranks));
}

}  // namespace allreduce
