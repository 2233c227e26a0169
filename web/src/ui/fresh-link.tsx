/** How to get a link that lets this browser in. */

export function FreshLink({
  before,
  middle,
  after,
}: {
  readonly before: string;
  readonly middle: string;
  readonly after: string;
}) {
  return (
    <p>
      {before}
      <code>hither serve</code>
      {middle}
      <code>hither url</code>
      {after}
    </p>
  );
}
