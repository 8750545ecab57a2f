/**
 * A guest's console as a program sees it: what the guest has printed, kept in a bounded history that any number of readers
 * follow at their own pace, and a stream of what is typed to it. Bytes enter on vCPU threads, one at a time, through
 * {@link io.javisor.api.console.Console#sink()}, and never wait for anybody; a reader that falls behind by more than the
 * history loses the oldest and is told how much.
 */
@NullMarked
package io.javisor.api.console;

import org.jspecify.annotations.NullMarked;
