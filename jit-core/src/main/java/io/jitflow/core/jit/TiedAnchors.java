package io.jitflow.core.jit;

/** What a position with several nearest anchors takes before the blur. */
public enum TiedAnchors {
  /** The mean of all of them: no direction is preferred. */
  AVERAGED,
  /**
   * The one that comes first in the anchor list, as in the authors' release. The same set in
   * another order gives another field, and a sorted list leans up and to the left.
   */
  FIRST_IN_LIST
}
