// Every cast between the parts of many objects, twice: prints where each part that was found lies, -1 for none.
#include <cstdio>
#include <utility>

struct A { virtual ~A() = default; int a; };
struct B { virtual ~B() = default; int b; };
struct Common : virtual A { int common; };
struct Other { virtual ~Other() = default; };

template <int N> struct Plain : A { int n[N % 3 + 1]; };
template <int N> struct Both : A, B { int n[N % 5 + 1]; };
template <int N> struct Shared : B, Common { int n[N % 4 + 1]; };

template <class To, class From> void cast(From* from, const void* whole) {
    auto* to = dynamic_cast<To*>(from);
    std::printf("%td ", to ? reinterpret_cast<char*>(to) - static_cast<const char*>(whole) : -1);
}

template <int N, class From> void casts(From* from, const void* whole) {
    cast<A>(from, whole), cast<B>(from, whole), cast<Common>(from, whole), cast<Other>(from, whole);
    cast<Plain<N>>(from, whole), cast<Both<N>>(from, whole), cast<Shared<N>>(from, whole);
}

template <int N> void objects() {
    Plain<N> plain;
    Both<N> both;
    Shared<N> shared;
    for (int again = 0; again < 2; again++) {
        casts<N>(static_cast<A*>(&plain), &plain);
        casts<N>(static_cast<A*>(&both), &both), casts<N>(static_cast<B*>(&both), &both);
        casts<N>(static_cast<A*>(&shared), &shared), casts<N>(static_cast<B*>(&shared), &shared);
        casts<N>(static_cast<Common*>(&shared), &shared);
    }
    std::puts("");
}

template <int... N> void all(std::integer_sequence<int, N...>) { (objects<N>(), ...); }

int main() { all(std::make_integer_sequence<int, CLASSES>()); }
