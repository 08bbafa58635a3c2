/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/*
 * How the calls of a slot are recorded: by its profile while the tree is watched, as all others' are otherwise. What is
 * not wanted is left where its call begins; what only the end of a call can tell stands in the thread's state by then.
 */
#pragma once

static __always_inline __u32 plan_index(__u32 nr, bool compat)
{
	if (nr >= CALLS)
		nr = CALLS - 1;
	return compat ? CALLS + nr : nr;
}

static __always_inline struct profile *profile_of(__u32 slot)
{
	return bpf_map_lookup_elem(&profiles, &slot);
}

/* Whether a call is one of those that are recorded, by its number alone. */
static __always_inline bool has_call(const struct profile *profile, __u32 index)
{
	__u32 number = profile->set;
	struct call_set *set;
	__u64 word = index / 64;

	if (!number)
		return true;
	set = bpf_map_lookup_elem(&call_sets, &number);
	/* The mask says nothing that clang does not know, but the verifier. */
	barrier_var(word);
	return set && set->wanted[word & (SET_WORDS - 1)] >> (index & 63) & 1;
}

static __always_inline __u64 least_time(__u32 slot)
{
	struct profile *profile;

	if (!watching)
		return slower_than;
	profile = profile_of(slot);
	return profile ? profile->slower_than : 0;
}

/* What the writers of a record go by: told once for each. */
static __always_inline bool take_limits(struct writing *w, __u32 slot)
{
	struct profile *profile;

	if (!watching)
		return true;
	profile = profile_of(slot);
	if (!profile)
		return false;
	w->string_limit = profile->string_limit;
	w->vector_limit = profile->vector_limit;
	w->contents = profile->contents;
	return true;
}

static __always_inline __u32 strings_of(const struct writing *w)
{
	return watching ? w->string_limit : string_limit;
}

static __always_inline __u32 vectors_of(const struct writing *w)
{
	return watching ? w->vector_limit : vector_limit;
}

static __always_inline bool keeps_contents(const struct writing *w)
{
	return watching ? w->contents : contents;
}

/* How many bytes a grab copies at most. Without a branch: each would be verified twice from here on. */
static __always_inline __u32 most_of(const struct writing *w, const volatile struct grab *grab)
{
	__s64 most = grab->most, over = most - (__s64)(grab->base + grab->by_limit * strings_of(w));

	barrier_var(over);
	return most - (over & ~(over >> 63));
}
