/** The way out of a switch by a TAP interface of the host's: to its bridges, its routes, its networks. */
@NullMarked
package io.javisor.networking.tap;

import org.jspecify.annotations.NullMarked;
