package io.javisor.numa.host;

/**
 * The hugetlb pages of one size.
 *
 * @param size bytes of one page: 2 MiB or 1 GiB on x86
 * @param total pages reserved
 * @param free pages of these that nobody uses
 */
public record HugePages(long size, long total, long free) {}
