// A parsed document as one flat row of nodes, in the order of the text. A container is followed by its children; an object's
// children alternate key, value. One allocation, no pointers between nodes, nothing recursive.
//
// What Value, Members and Elements are made of; here and not in src/ because a body of Shopify's has a thousand nodes, and a call
// for each look at one costs as much as the look. Nothing for users of the library.
#pragma once

#include <syncline/core/error.h>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::json {

enum class Kind : std::uint8_t { null, boolean, number, string, array, object };

struct Node {
    const char* text = nullptr;  // string and key: into Tape::texts; number: into Tape::body.
    std::uint32_t size = 0;      // Bytes of text; members or elements; 1 for true.
    std::uint32_t end : 29 = 0;  // Containers: index behind the last descendant.
    std::uint32_t kind : 3 = 0;

    [[nodiscard]] std::string_view view() const { return {text, size}; }
};
static_assert(sizeof(Node) == 16);

struct Tape {
    std::string body;                       // As it was sent, with a bracket and zeros around it.
    std::unique_ptr<std::uint8_t[]> texts;  // Decoded.
    std::vector<Node> nodes;

    [[nodiscard]] const Node& at(std::uint32_t index) const { return nodes[index]; }
    [[nodiscard]] Kind kind(std::uint32_t index) const { return static_cast<Kind>(nodes[index].kind); }
    [[nodiscard]] bool container(std::uint32_t index) const { return kind(index) >= Kind::array; }
    // The node behind this one and all it contains.
    [[nodiscard]] std::uint32_t after(std::uint32_t index) const { return container(index) ? nodes[index].end : index + 1; }

    // The index of the first key that its object has before.
    [[nodiscard]] std::optional<std::uint32_t> duplicate_key() const;
    // The path of the node; that of a key is the path of its value.
    [[nodiscard]] std::string path(std::uint32_t index) const;
};

}  // namespace syncline::json
